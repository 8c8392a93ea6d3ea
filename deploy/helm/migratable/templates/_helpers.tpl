{{/* Labels of every object: those that kustomize writes too, and those that Helm's users expect. */}}
{{- define "migratable.labels" -}}
app.kubernetes.io/name: migratable
app.kubernetes.io/part-of: migratable
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of pods: none that another version of the chart would change. */}}
{{- define "migratable.podLabels" -}}
app.kubernetes.io/name: migratable
app.kubernetes.io/part-of: migratable
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "migratable.selector" -}}
app.kubernetes.io/name: migratable
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "migratable.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* What every container may do: nothing. No value changes it. */}}
{{- define "migratable.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* A token that ends soon, as kubelet would mount it. */}}
{{- define "migratable.tokenVolume" -}}
- name: token
  projected:
    defaultMode: 0440
    sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3600
    - configMap:
        name: kube-root-ca.crt
        items:
        - key: ca.crt
          path: ca.crt
    - downwardAPI:
        items:
        - path: namespace
          fieldRef:
            fieldPath: metadata.namespace
- name: tmp
  emptyDir:
    sizeLimit: 16Mi
{{- end }}

{{/* The policy file: that of the mode, word for word, or with the values' keys over it. */}}
{{- define "migratable.policy" -}}
{{- $file := .Files.Get (printf "files/policies/%s.yaml" .Values.mode) }}
{{- if .Values.policy -}}
# Of mode {{ .Values.mode }}, with what the values say over it.
{{ toYaml (mergeOverwrite (fromYaml $file) .Values.policy) }}
{{ else }}
{{- $file }}
{{- end }}
{{- end }}

{{/* Ends in a hash of the content: a changed policy rolls the Deployment, and a rollback brings the old one back. */}}
{{- define "migratable.policyName" -}}
migratable-policy-{{ include "migratable.policy" . | sha256sum | trunc 10 }}
{{- end }}

{{/* How many servers there are at least. */}}
{{- define "migratable.replicas" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.server.replicas .Values.autoscaling.enabled }}
{{- end }}

{{/* The seconds of a duration like 1h30m. */}}
{{- define "migratable.seconds" -}}
{{- $seconds := 0.0 }}
{{- range regexFindAll "[0-9.]+[dhms]" . -1 }}
{{- $unit := get (dict "d" 86400 "h" 3600 "m" 60 "s" 1) (regexFind "[dhms]" .) }}
{{- $seconds = addf $seconds (mulf (regexFind "[0-9.]+" . | float64) $unit) }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/* What no schema can say well. */}}
{{- define "migratable.check" -}}
{{- $replicas := include "migratable.replicas" . | int }}
{{- if and (eq .Values.failurePolicy "Fail") (lt $replicas 2) }}
{{- fail "failurePolicy Fail needs two replicas at least: with one, each drain of its node stops the creation of virtual machines. Set server.replicas (or autoscaling.minReplicas) to 2 or more, or failurePolicy to Ignore." }}
{{- end }}
{{- if ge (int .Values.podDisruptionBudget.minAvailable) $replicas }}
{{- if gt $replicas 1 }}
{{- fail (printf "podDisruptionBudget.minAvailable is %v of %v replicas, so no node could ever be drained. Lower it." .Values.podDisruptionBudget.minAvailable $replicas) }}
{{- end }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas is %v, and maxReplicas is %v. Raise the latter." .Values.autoscaling.minReplicas .Values.autoscaling.maxReplicas) }}
{{- end }}
{{- if and .Values.priorityClass.create (hasPrefix "system-" .Values.priorityClass.name) }}
{{- fail (printf "priorityClass.name is %s, which API servers let nobody create. Set priorityClass.create to false to use it." .Values.priorityClass.name) }}
{{- end }}
{{- $authority := default "8760h" .Values.rotator.authorityLifetime }}
{{- $leaf := default "168h" .Values.rotator.leafLifetime }}
{{- if lt (include "migratable.seconds" $leaf | float64) 3600.0 }}
{{- fail (printf "rotator.leafLifetime is %s: the certificate must live for an hour at least, which a change of authority needs." $leaf) }}
{{- end }}
{{- if lt (include "migratable.seconds" $authority | float64) (include "migratable.seconds" $leaf | float64) }}
{{- fail (printf "rotator.authorityLifetime is %s, and rotator.leafLifetime is %s: the authority must live as long as what it signs." $authority $leaf) }}
{{- end }}
{{- if and (eq .Values.failurePolicy "Fail") (ne .Values.mode "enforce") }}
{{- fail (printf "failurePolicy Fail in mode %s refuses requests while no replica answers, though nothing is ever refused by what it finds. Use mode enforce with it." .Values.mode) }}
{{- end }}
{{- end }}

{{/*
The NetworkPolicy peers that API servers are; empty where they are not known, and then the port stays open.
The network plugin decides from which address a pod sees an API server: behind a tunnel it is not the node's, and a hosted
control plane connects through an agent. A wrong guess keeps every API server out, so auto takes only what the platform
documents.
*/}}
{{- define "migratable.apiServerPeers" -}}
{{- $chosen := default "auto" .Values.networkPolicy.apiServers }}
{{- $addresses := .Values.networkPolicy.apiServerAddresses }}
{{- if and $addresses (ne $chosen "auto") }}
{{- fail (printf "networkPolicy.apiServerAddresses is used with apiServers auto, and apiServers is %s. Set one of them." $chosen) }}
{{- end }}
{{- if eq $chosen "endpoints" }}
{{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items }}
{{- if eq (dig "metadata" "labels" "kubernetes.io/service-name" "" .) "kubernetes" }}
{{- range .endpoints }}
{{- range .addresses }}
{{- $addresses = append $addresses (printf "%s/%s" . (ternary "128" "32" (contains ":" .))) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if not $addresses }}
{{- fail "networkPolicy.apiServers is endpoints, and no EndpointSlice of the Service kubernetes in namespace default was found. Run helm against the cluster (not helm template), or set apiServers to auto and list apiServerAddresses." }}
{{- end }}
{{- end }}
{{- if or (eq $chosen "openshift") (and (eq $chosen "auto") (not $addresses) (include "migratable.openshiftHostNetwork" .)) }}
- namespaceSelector:
    matchLabels:
      policy-group.network.openshift.io/host-network: ""
{{- end }}
{{- range $addresses }}
- ipBlock:
    cidr: {{ . }}
{{- end }}
{{- end }}

{{/*
Whether this is OpenShift with OVN-Kubernetes, which gives a namespace label to the traffic of the nodes' own network. Not
with a hosted control plane, whose API servers run elsewhere.
*/}}
{{- define "migratable.openshiftHostNetwork" -}}
{{- if .Capabilities.APIVersions.Has "config.openshift.io/v1" }}
{{- $network := lookup "config.openshift.io/v1" "Network" "" "cluster" }}
{{- $infrastructure := lookup "config.openshift.io/v1" "Infrastructure" "" "cluster" }}
{{- $hosted := eq (dig "status" "controlPlaneTopology" "External" $infrastructure) "External" }}
{{- if and (eq (dig "status" "networkType" "" $network) "OVNKubernetes") (not $hosted) }}yes{{ end }}
{{- end }}
{{- end }}

{{- define "migratable.webhook" -}}
{{- $hook := .hook }}
{{- $values := .root.Values }}
name: {{ $hook.name }}
clientConfig:
  service:
    name: migratable
    namespace: {{ .root.Release.Namespace }}
    path: {{ ternary "/validate/late-denies" .path $hook.lateDenies }}
    port: 443
rules:
{{- toYaml $hook.rules | nindent 0 }}
matchPolicy: Equivalent
{{- if not $hook.clusterWide }}
namespaceSelector:
  matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
    - kube-system
    - {{ .root.Release.Namespace }}
    {{- if not $hook.inPlatform }}
    {{- range $values.webhooks.platformNamespaces }}
    - {{ . }}
    {{- end }}
    {{- end }}
{{- end }}
matchConditions:
{{- toYaml $hook.matchConditions | nindent 0 }}
admissionReviewVersions: [v1]
sideEffects: None
{{- if eq .path "/mutate" }}
reinvocationPolicy: Never
{{- end }}
failurePolicy: {{ ternary $values.failurePolicy "Ignore" $hook.mayFail }}
timeoutSeconds: {{ $hook.timeoutSeconds }}
{{- end }}

{{- define "migratable.webhookMetadata" -}}
labels:
  {{- include "migratable.labels" (dict "root" . "component" "server") | nindent 2 }}
{{- if eq .Values.certificates.source "cert-manager" }}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/migratable-serving-cert
{{- end }}
{{- end }}
