{{- /* Labels of every object of the release. */}}
{{- define "noderemoval.labels" -}}
app.kubernetes.io/name: noderemoval
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What tells the pods of the operator from others. */}}
{{- define "noderemoval.selector" -}}
app.kubernetes.io/name: noderemoval
app.kubernetes.io/component: controller
{{- end }}

{{- define "noderemoval.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default "noderemoval-controller" }}
{{- end }}

{{- define "noderemoval.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where the pods are that clean machines. */}}
{{- define "noderemoval.hostNamespace" -}}
{{- (.Values.hostCleanup).namespace | default "noderemoval-host" }}
{{- end }}
