import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { installed } from '../../servers/cache.ts'
import type { Finished } from '../../servers/kube.ts'

export const CHART = fileURLToPath(new URL('../../../helm/bronze-operator', import.meta.url))

export type HelmVersion = 'Helm 3' | 'Helm 4'
export const HELMS: readonly HelmVersion[] = ['Helm 3', 'Helm 4']

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** Values for a kind of user each. */
export interface ValueSet {
  readonly values: object
  /** APIs beside Kubernetes' own that the cluster has. */
  readonly apis?: readonly string[]
}

const MONITORING = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].map(kind => `monitoring.coreos.com/v1/${kind}`)

export const SETS = {
  default: { values: {} },
  'no-right-outside': {
    values: { watchNamespaces: ['sales', 'web'], crds: { upgrade: false }, rbac: { aggregate: false } }
  },
  'bring-your-own': {
    values: {
      serviceAccount: { create: false, name: 'mine' },
      rbac: { create: false },
      metrics: { service: { enabled: false } },
      fullnameOverride: 'bronze'
    }
  },
  everything: {
    apis: MONITORING,
    values: {
      image: { repository: 'registry.example/bronze', tag: 'v9', pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'registry' }],
      consumerImage: 'registry.example/consumer:v9',
      watchNamespaces: ['sales'],
      replicas: 2,
      serviceAccount: { annotations: { 'iam.example/role': 'bronze' }, labels: { team: 'data' } },
      proxy: { http: 'http://proxy:3128', https: 'http://proxy:3128', noProxy: 'idp.example' },
      extraCa: { configMap: 'company-ca', key: 'roots.pem' },
      metrics: {
        service: { annotations: { 'prometheus.io/scrape': 'true' } },
        serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
        podMonitor: { enabled: true, interval: '15s', labels: { release: 'prometheus' } },
        prometheusRule: {
          enabled: true,
          labels: { release: 'prometheus' },
          runbookUrl: 'https://wiki.example/bronze'
        },
        dashboard: { enabled: true, annotations: { grafana_folder: 'Lake' } }
      },
      networkPolicy: {
        enabled: true,
        metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        operator: {
          dns: { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }] },
          apiServer: { ports: [6443], to: [{ ipBlock: { cidr: '10.0.0.1/32' } }] },
          kafka: { ports: [9092, 9093], to: [{ ipBlock: { cidr: '10.1.0.0/16' } }] }
        },
        consumers: { namespaces: ['sales'], egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] }
      },
      podLabels: { team: 'data' },
      podAnnotations: { note: 'x' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'infra', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'system-cluster-critical',
      hostUsers: false
    }
  }
} as const satisfies Readonly<Record<string, ValueSet>>

/** Helm without a cluster; a failure is a value. */
export async function helm(version: HelmVersion, args: readonly string[], input = ''): Promise<Finished> {
  const program = version === 'Helm 3' ? installed('packaging', 'helm') : installed('kube', 'helm')
  // A kubeconfig of the user's must not matter.
  const child = spawn(program, args, { env: { HOME: '/nonexistent', KUBECONFIG: '/nonexistent' } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, stdout, stderr }
}

export const templateArgs = ({ apis = [] }: ValueSet): readonly string[] => [
  'template',
  'one',
  CHART,
  '--namespace',
  'bronze',
  '--values',
  '-',
  ...apis.flatMap(api => ['--api-versions', api])
]

export async function render(version: HelmVersion, set: ValueSet): Promise<string> {
  const { code, stdout, stderr } = await helm(version, templateArgs(set), JSON.stringify(set.values))
  assert.equal(code, 0, stderr)
  return stdout
}

export const manifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map(document => document.toJS() as Manifest | null)
    .filter(manifest => manifest !== null)
