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
migratable-{{ .component }}-policy-{{ include "migratable.auditPolicy" .root | sha256sum | trunc 10 }}
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

{{/* The kind of reports that the CronJob writes. If the watch is installed, only the watch writes reports. */}}
{{- define "migratable.auditReports" -}}
{{- ternary "none" .Values.audit.reports .Values.audit.watch.enabled }}
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

{{/* A role and its binding to an account: in each of .namespaces, or a ClusterRole if there are none. */}}
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
{{- toYaml $role.rules | nindent 0 }}
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

{{/* The account of one of the commands, with its rights. Expects root, component and reports. */}}
{{- define "migratable.auditIdentity" -}}
{{- $ := .root }}
{{- $audit := $.Values.audit }}
{{- $component := .component }}
{{- $name := printf "migratable-%s" $component }}
{{- $rules := $.Files.Get "files/roles.json" | fromJson }}
{{- $role := dict "root" $ "component" $component "account" $name }}
{{- $local := get $rules.namespaces $component }}
{{- $whole := get $rules.cluster $component }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "migratable.labels" (dict "root" $ "component" $component) | nindent 4 }}
automountServiceAccountToken: false
{{- if $audit.namespaces }}
{{- include "migratable.auditRole" (merge (dict "name" $name "namespaces" $audit.namespaces "rules" $local) $role) }}
{{- if $audit.clusterFacts }}
{{- include "migratable.auditRole" (merge (dict "name" $name "namespaces" list "rules" $whole) $role) }}
{{- end }}
{{- else }}
{{- include "migratable.auditRole" (merge (dict "name" $name "namespaces" list "rules" (concat $local $whole)) $role) }}
{{- end }}
{{- if ne .reports "none" }}
{{- $written := get (ternary $rules.reportsInNamespace $rules.reports (gt (len $audit.namespaces) 0)) .reports }}
{{- include "migratable.auditRole" (merge (dict "name" (printf "%s-reports" $name) "namespaces" $audit.namespaces "rules" $written) $role) }}
{{- end }}
{{- if and (eq $component "audit-watch") $audit.watch.drainMinutes }}
{{- include "migratable.auditRole" (merge (dict "name" (printf "%s-nodes" $name) "namespaces" list "rules" $rules.nodes) $role) }}
{{- end }}
{{- end }}

{{- define "migratable.auditEgress" -}}
egress:
# To the API server, on its usual ports. Its address comes from the environment, so DNS is not needed.
- ports:
  {{- range .Values.networkPolicy.apiServerPorts }}
  - port: {{ . }}
    protocol: TCP
  {{- end }}
{{- end }}
