{{- define "bronze.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of everything in the release's namespace: the release's, with the chart's unless it holds that. */}}
{{- define "bronze.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "bronze.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "bronze.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Name of what belongs to no namespace, or to those that are watched: releases of one name in two namespaces do not meet. */}}
{{- define "bronze.clusterName" -}}
{{- printf "%s.%s" (include "bronze.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "bronze.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "bronze.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "bronze.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bronze.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "bronze.labels" -}}
{{ include "bronze.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "bronze.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What the operator does in each namespace that it looks after. */}}
{{- define "bronze.rules" -}}
- apiGroups: [bronze.dev]
  resources: [bronzepipelines]
  verbs: [get, list, watch]
- apiGroups: [bronze.dev]
  resources: [bronzepipelines/status]
  verbs: [get, patch]
# Some clusters ask for this of who makes objects that a pipeline owns.
- apiGroups: [bronze.dev]
  resources: [bronzepipelines/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: ['']
  resources: [configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
# The reasons for which consumers ended are in their pods' termination messages.
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list, watch]
# By the names that pipelines give: to read lag at the brokers, and to start consumers anew when a password changes.
- apiGroups: ['']
  resources: [secrets]
  verbs: [get]
- apiGroups: ['']
  resources: [events]
  verbs: [create]
{{- end }}
