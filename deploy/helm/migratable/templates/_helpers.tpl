{{/* Labels of every object: the labels that kustomize sets, and Helm's standard labels. */}}
{{- define "migratable.labels" -}}
app.kubernetes.io/name: migratable
app.kubernetes.io/part-of: migratable
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of pods. A new version of the chart does not change them. */}}
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

{{/* The security context of every container: no privileges. No value changes it. */}}
{{- define "migratable.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* A short-lived token, as the kubelet would mount it. */}}
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

{{/* The policy file of the mode: unchanged, or overridden by the keys in the values. */}}
{{- define "migratable.policy" -}}
{{- $file := .Files.Get (printf "files/policies/%s.yaml" .Values.mode) }}
{{- if .Values.policy -}}
# Mode {{ .Values.mode }}, overridden by the chart's values.
{{ toYaml (mergeOverwrite (fromYaml $file) .Values.policy) }}
{{ else }}
{{- $file }}
{{- end }}
{{- end }}

{{/* Ends in a hash of the content: a changed policy restarts the Deployment, and a rollback restores the old policy. */}}
{{- define "migratable.policyName" -}}
migratable-policy-{{ include "migratable.policy" . | sha256sum | trunc 10 }}
{{- end }}

{{/* The minimum number of server replicas. */}}
{{- define "migratable.replicas" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.server.replicas .Values.autoscaling.enabled }}
{{- end }}

{{/* Converts a duration like 1h30m to seconds. */}}
{{- define "migratable.seconds" -}}
{{- $seconds := 0.0 }}
{{- range regexFindAll "[0-9.]+[dhms]" . -1 }}
{{- $unit := get (dict "d" 86400 "h" 3600 "m" 60 "s" 1) (regexFind "[dhms]" .) }}
{{- $seconds = addf $seconds (mulf (regexFind "[0-9.]+" . | float64) $unit) }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/* Checks that JSON Schema cannot express with a clear message. */}}
{{- define "migratable.check" -}}
{{- if not .Values.image.repository }}
{{- fail "image.repository is not set. Build and push the image (docs/install.md), then add --set image.repository=REGISTRY/migratable." }}
{{- end }}
{{- $replicas := include "migratable.replicas" . | int }}
{{- if and (eq .Values.failurePolicy "Fail") (lt $replicas 2) }}
{{- fail "failurePolicy Fail requires at least two replicas: with one replica, a drain of its node blocks the creation of VMs. Set server.replicas (or autoscaling.minReplicas) to 2 or more, or failurePolicy to Ignore." }}
{{- end }}
{{- if ge (int .Values.podDisruptionBudget.minAvailable) $replicas }}
{{- if gt $replicas 1 }}
{{- fail (printf "podDisruptionBudget.minAvailable is %v and there are %v replicas, so node drains would never finish. Lower minAvailable." .Values.podDisruptionBudget.minAvailable $replicas) }}
{{- end }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas (%v) is greater than autoscaling.maxReplicas (%v). Increase maxReplicas." .Values.autoscaling.minReplicas .Values.autoscaling.maxReplicas) }}
{{- end }}
{{- if and .Values.priorityClass.create (hasPrefix "system-" .Values.priorityClass.name) }}
{{- fail (printf "priorityClass.name is %s, and API servers refuse new classes with the prefix system-. Set priorityClass.create to false to use this class." .Values.priorityClass.name) }}
{{- end }}
{{- if and .Values.audit.watch.enabled .Values.audit.namespaces }}
{{- fail "audit.namespaces is set, and audit.watch.enabled is true. The watch needs rights in all namespaces. Remove audit.namespaces, or use the CronJob (audit.enabled) instead of the watch." }}
{{- end }}
{{- $authority := default "8760h" .Values.rotator.authorityLifetime }}
{{- $leaf := default "168h" .Values.rotator.leafLifetime }}
{{- if lt (include "migratable.seconds" $leaf | float64) 3600.0 }}
{{- fail (printf "rotator.leafLifetime is %s. Set it to 1h or more: a CA rotation needs an hour." $leaf) }}
{{- end }}
{{- if lt (include "migratable.seconds" $authority | float64) (include "migratable.seconds" $leaf | float64) }}
{{- fail (printf "rotator.authorityLifetime (%s) is shorter than rotator.leafLifetime (%s). Increase authorityLifetime: a CA must be valid as long as the certificates that it signs." $authority $leaf) }}
{{- end }}
{{- if and (eq .Values.failurePolicy "Fail") (ne .Values.mode "enforce") }}
{{- fail (printf "failurePolicy Fail in mode %s refuses requests while no replica responds, although this mode denies no finding. Set mode to enforce, or failurePolicy to Ignore." .Values.mode) }}
{{- end }}
{{- end }}

{{/*
The NetworkPolicy peers that match the API servers. Empty if they are not known; then the port stays open.
The source address of an API server depends on the network plugin: behind a tunnel it is not the address of the node, and a
hosted control plane connects through a proxy. A wrong peer blocks every API server, so auto uses only peers that the platform
documents.
*/}}
{{- define "migratable.apiServerPeers" -}}
{{- $chosen := default "auto" .Values.networkPolicy.apiServers }}
{{- $addresses := .Values.networkPolicy.apiServerAddresses }}
{{- if and $addresses (ne $chosen "auto") }}
{{- fail (printf "networkPolicy.apiServerAddresses is set, and networkPolicy.apiServers is %s. Set apiServers to auto to use the addresses, or remove them." $chosen) }}
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
{{- fail "networkPolicy.apiServers is endpoints, and the Service kubernetes in namespace default has no EndpointSlice. Run helm against the cluster (not helm template), or set apiServers to auto and list apiServerAddresses." }}
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
Whether the cluster is OpenShift with OVN-Kubernetes, where a namespace label matches traffic from the host network. False
for hosted control planes, because their API servers run elsewhere.
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
