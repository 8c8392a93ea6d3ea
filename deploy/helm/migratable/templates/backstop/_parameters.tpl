{{/* Whether the backstop is enabled, the mode is enforce, and the API servers support it. */}}
{{- define "migratable.backstopWanted" -}}
{{- if and .Values.backstop.enabled (eq .Values.mode "enforce") (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}
true
{{- end }}
{{- end }}

{{/* Rule ids, keyed by id and by name. */}}
{{- define "migratable.backstopIds" -}}
{{- $ids := dict }}
{{- range . }}{{ $_ := set $ids .id .id }}{{ $_ := set $ids .name .id }}{{ end }}
{{- toJson $ids }}
{{- end }}

{{/* The actions of a policy, keyed by rule id. */}}
{{- define "migratable.backstopActions" -}}
{{- $ids := include "migratable.backstopIds" .rules | fromJson }}
{{- $actions := dict }}
{{- range $rule, $action := .actions }}{{ $_ := set $actions (get $ids $rule) $action }}{{ end }}
{{- toJson $actions }}
{{- end }}

{{/* Data of a ConfigMap: the rules that one policy denies. Empty if it denies none. */}}
{{- define "migratable.backstopData" -}}
{{- $rules := list }}{{ $certain := list }}
{{- if eq .atMost "deny" }}
{{- range $id := .data.inCel }}
{{- $chosen := dig $id (dig $.profile $id "" $.data.denied) $.actions }}
{{- if eq $chosen "deny" }}{{ $rules = append $rules $id }}{{ else if eq $chosen "certain" }}{{ $certain = append $certain $id }}{{ end }}
{{- end }}
{{- end }}
{{- if or $rules $certain }}
{{- $ids := include "migratable.backstopIds" .data.rules | fromJson }}
{{- $today := now | date "2006-01-02" }}
{{- $accounts := list }}{{ $exemptions := list }}
{{- range .policy.accounts }}
{{- if ge .until $today }}{{ $accounts = append $accounts (printf "%s/%s" (default "*" .namespace) .account) }}{{ end }}
{{- end }}
{{- range .policy.exemptions }}
{{- if ge .until $today }}
{{- $exemptions = append $exemptions (printf "%s/%s/%s/%s" (get $ids .rule) (default "*" .namespace) (default "*" .name) (default "*" .kind)) }}
{{- end }}
{{- end }}
{{- $data := dict "rules" (join " " $rules) "whereCertain" (join " " $certain) "namespaces" (join " " .namespaces) "exceptNamespaces" (join " " .taken) "exceptAccounts" (join "\n" $accounts) "exemptions" (join " " $exemptions) "honourEvictionStrategy" (ternary "true" "" (dig "honourEvictionStrategy" false .policy)) "help" (dig "help" "" .policy) }}
{{- range $key, $text := $data }}
{{- if $text }}
{{ $key }}: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
