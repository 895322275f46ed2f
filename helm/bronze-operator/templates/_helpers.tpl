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

{{/* Name of the pod of `helm test` and of what it needs. */}}
{{- define "bronze.testName" -}}
{{- printf "%s-test" (include "bronze.fullname" . | trunc 58 | trimSuffix "-") }}
{{- end }}

{{- define "bronze.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bronze.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "bronze.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "bronze.labels" -}}
{{ include "bronze.selectorLabels" . }}
{{ include "bronze.commonLabels" . }}
{{- end }}

{{- define "bronze.testLabels" -}}
app.kubernetes.io/name: {{ include "bronze.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{ include "bronze.commonLabels" . }}
{{- end }}

{{/* What the operator writes on what it makes for a pipeline (operator/names.ts). */}}
{{- define "bronze.consumerLabels" -}}
app.kubernetes.io/name: bronze-consumer
app.kubernetes.io/managed-by: bronze-operator
{{- end }}

{{/* Gone once the test has passed; of one that failed the pod stays, for its log. */}}
{{- define "bronze.testHook" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* Where the test makes its pipeline. */}}
{{- define "bronze.testNamespace" -}}
{{- first (append .Values.watchNamespaces .Release.Namespace) }}
{{- end }}

{{- define "bronze.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The standard "restricted" of PodSecurity: of a pod, and of its containers. */}}
{{- define "bronze.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "bronze.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The way into the API server, with a token that the kubelet renews and that is worth nothing an hour later. */}}
{{- define "bronze.accessVolume" -}}
- name: access
  projected:
    # 0444
    defaultMode: 292
    sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3600
    - configMap:
        name: kube-root-ca.crt
        items:
        - key: ca.crt
          path: ca.crt
{{- end }}

{{- define "bronze.accessMount" -}}
- name: access
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{/* Whether an API of the Prometheus operator is there: (dict "root" . "kind" "PodMonitor"). */}}
{{- define "bronze.hasMonitoring" -}}
{{- if .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) }}true{{ end }}
{{- end }}

{{/* One direction of a NetworkPolicy: ports and peers, both open when empty. */}}
{{- define "bronze.networkRule" -}}
{{- $protocols := .protocols | default (list "TCP") }}
{{- $ports := list }}
{{- range $port := .ports }}
{{- range $protocols }}
{{- $ports = append $ports (dict "protocol" . "port" $port) }}
{{- end }}
{{- end }}
{{- $rule := dict }}
{{- if $ports }}{{ $_ := set $rule "ports" $ports }}{{ end }}
{{- if .peers }}{{ $_ := set $rule .as .peers }}{{ end }}
{{- list $rule | toYaml }}
{{- end }}

{{/* What the operator does in each namespace that it looks after. */}}
{{- define "bronze.rules" -}}
- apiGroups: [bronze.dev]
  resources: [bronzepipelines]
  verbs: [get, list, watch]
- apiGroups: [bronze.dev]
  resources: [bronzepipelines/status]
  verbs: [patch]
# Some clusters ask for this of who makes objects that a pipeline owns.
- apiGroups: [bronze.dev]
  resources: [bronzepipelines/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: ['']
  resources: [configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
# The reasons for which consumers ended are in their pods' termination messages.
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch]
# By the names that pipelines give: to read lag at the brokers, and to start consumers anew when a password changes. RBAC can name
# Secrets only if their names are known beforehand.
- apiGroups: ['']
  resources: [secrets]
  verbs: [get]
# One that happens again is counted, not written a second time.
- apiGroups: ['']
  resources: [events]
  verbs: [create, patch]
{{- end }}
