{{/* The policy file of mode enforce, overridden by the keys in the values. In every mode, the audit shows what enforce denies. */}}
{{- define "migratable.auditPolicy" -}}
{{- $file := .Files.Get "files/policies/enforce.yaml" }}
{{- if .Values.policy -}}
# Mode enforce, overridden by the chart's values.
{{ toYaml (mergeOverwrite (fromYaml $file) .Values.policy) }}
{{ else }}
{{- $file }}
{{- end }}
{{- end }}

{{/* Ends in a hash of the content, as the policy of the server. */}}
{{- define "migratable.auditPolicyName" -}}
{{ .name }}-policy-{{ include "migratable.auditPolicy" .root | sha256sum | trunc 10 }}
{{- end }}

{{- define "migratable.auditPolicyMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "migratable.auditPolicyName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "migratable.labels" (dict "root" .root "component" .component) | nindent 4 }}
data:
  policy.yaml: |
    {{- include "migratable.auditPolicy" .root | nindent 4 }}
{{- end }}

{{/* The kind of reports that the CronJob writes. With the watch, only the watch writes reports. */}}
{{- define "migratable.auditReports" -}}
{{- .Values.audit.reports }}
{{- end }}

{{/* Flags of both commands. */}}
{{- define "migratable.auditFlags" -}}
- --policy=/etc/migratable/policy/policy.yaml
{{- with .Values.audit.release }}
- --release={{ . }}
{{- end }}
{{- range .Values.audit.namespaces }}
- --namespace={{ . }}
{{- end }}
{{- end }}

{{/* Node selection, tolerations and priority of the pods. */}}
{{- define "migratable.auditScheduling" -}}
{{- with .Values.audit.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 0 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.audit.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.audit.tolerations }}
tolerations:
  {{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}

{{- define "migratable.auditMounts" -}}
- name: policy
  mountPath: /etc/migratable/policy
  readOnly: true
- name: token
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "migratable.auditVolumes" -}}
- name: policy
  configMap:
    name: {{ include "migratable.auditPolicyName" . }}
{{ include "migratable.tokenVolume" .root }}
{{- end }}

{{/* Rules with verbs. */}}
{{- define "migratable.auditRules" -}}
{{- $verbs := .verbs }}
{{- range .rules }}
- {{ toYaml (merge (dict "verbs" $verbs) .) | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/*
A role and its binding to one account: in each of .namespaces, or for the whole cluster if there are none. `cluster` adds rules
that need a ClusterRole.
*/}}
{{- define "migratable.auditRole" -}}
{{- $ := .root }}
{{- $role := . }}
{{- $kind := ternary "Role" "ClusterRole" (gt (len .namespaces) 0) }}
{{- range default (list "") .namespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $role.name }}
  {{- with . }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "migratable.labels" (dict "root" $ "component" $role.component) | nindent 4 }}
rules:
{{- include "migratable.auditRules" (dict "rules" $role.rules "verbs" $role.verbs) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $role.name }}
  {{- with . }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "migratable.labels" (dict "root" $ "component" $role.component) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $role.name }}
subjects:
- kind: ServiceAccount
  name: {{ $role.account }}
  namespace: {{ $.Release.Namespace }}
{{- end }}
{{- end }}

{{/* The account of one of the commands, with its rights. */}}
{{- define "migratable.auditIdentity" -}}
{{- $ := .root }}
{{- $audit := $.Values.audit }}
{{- $data := $.Files.Get "files/audit-rules.json" | fromJson }}
{{- $role := dict "root" $ "component" .component "account" .name "namespaces" $audit.namespaces }}
{{- $read := dict "name" .name "verbs" (get $data.verbs .verbs) }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "migratable.labels" (dict "root" $ "component" .component) | nindent 4 }}
automountServiceAccountToken: false
{{- if $audit.namespaces }}
{{- include "migratable.auditRole" (mergeOverwrite (dict) $role $read (dict "rules" $data.namespaces)) }}
{{- if $audit.clusterFacts }}
{{- include "migratable.auditRole" (mergeOverwrite (dict) $role $read (dict "rules" $data.cluster "namespaces" list)) }}
{{- end }}
{{- else }}
{{- include "migratable.auditRole" (mergeOverwrite (dict) $role $read (dict "rules" (concat $data.namespaces $data.cluster))) }}
{{- end }}
{{- $rules := list }}
{{- $reports := .reports }}
{{- range $chosen, $of := $data.reports }}
{{- if has $reports (list $chosen "auto") }}{{ $rules = concat $rules $of }}{{ end }}
{{- end }}
{{- if $rules }}
{{- include "migratable.auditRole" (mergeOverwrite (dict) $role (dict "name" (printf "%s-reports" .name) "verbs" $data.verbs.reports "rules" $rules)) }}
{{- end }}
{{- end }}
