import type { BronzePipeline, BronzePipelineSpec } from '../crds/pipeline.ts'
import type { SettledPipeline, SettledSink } from '../crds/settled.ts'
import { CONSUMER_ENVIRONMENT, consumerNodeOptions } from '../lib/consumer-environment.ts'
import { parseQuantity } from '../lib/quantity.ts'
import { BUDGETS, CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS, type KubeObject } from './kube.ts'
import {
  APPLIED,
  configName,
  consumerName,
  ownerReference,
  ownLabels,
  SECRETS_HASH,
  selectorLabels,
  shortHash
} from './names.ts'

const CONFIG_FILE = '/etc/bronze/pipeline.yaml'
const SECRETS_FOLDER = '/etc/bronze/secrets'
const PORT = 8080
/** Of the memory limit; records that wait, and what is fetched and uploaded, lie outside the heap. */
const HEAP_SHARE = 0.5

/** What a pipeline's objects are made from. */
export interface Blueprint {
  readonly pipeline: BronzePipeline
  readonly settled: SettledPipeline
  readonly image: string
  readonly replicas: number
  /** Hash of the values of all Secrets the consumers read. */
  readonly secretsHash: string
}

/** The Secrets that consumers read, without repetition. */
export function secretsOf({ source, sink }: SettledPipeline): readonly string[] {
  const { credentialsSecret, caSecret, clientCertificateSecret } = source.security
  const registry = source.schemaRegistry
  const ofSource = [
    credentialsSecret,
    caSecret,
    clientCertificateSecret,
    registry?.credentialsSecret,
    registry?.caSecret
  ]
  const names = [...ofSource, ...secretsOfSink(sink)]
  return [...new Set(names.filter(name => name !== undefined))].sort()
}

function secretsOfSink(sink: SettledSink): readonly (string | undefined)[] {
  switch (sink.kind) {
    case 'delta':
      return [sink.delta.s3?.credentialsSecret, sink.delta.s3?.caSecret]
    case 's3':
      return [sink.s3.s3?.credentialsSecret, sink.s3.s3?.caSecret]
    case 'iceberg': {
      const { catalog, s3 } = sink.iceberg
      return [catalog, s3].flatMap(each => [each?.credentialsSecret, each?.caSecret])
    }
    case 'snowflake':
      return [sink.snowflake.credentialsSecret, sink.snowflake.proxy?.credentialsSecret]
  }
}

/** The pipeline as consumers read it, immutable and named by its content. */
export function configMap(pipeline: BronzePipeline): KubeObject {
  const { name, namespace = 'default', creationTimestamp } = pipeline.metadata
  const config = {
    apiVersion: pipeline.apiVersion,
    kind: pipeline.kind,
    metadata: { name, namespace, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    spec: consumerSpec(pipeline.spec)
  }
  // JSON is YAML.
  const text = `${JSON.stringify(config, null, 2)}\n`
  return owned(pipeline, CONFIG_MAPS, configName(name, shortHash(text)), {
    immutable: true,
    data: { 'pipeline.yaml': text }
  })
}

/** Without what consumers do not look at: changing the number of consumers must not restart them. */
function consumerSpec(spec: BronzePipelineSpec): object {
  const { scaling: _scaling, suspend: _suspend, consumer, ...read } = spec
  const { logLevel, terminationGracePeriodSeconds } = consumer
  return { ...read, consumer: { logLevel, terminationGracePeriodSeconds } }
}

/** Undefined when the pipeline names an account of its own. */
export function serviceAccount({ pipeline, settled }: Blueprint): KubeObject | undefined {
  if (settled.consumer.serviceAccountName !== undefined) return undefined
  return owned(pipeline, SERVICE_ACCOUNTS, consumerName(settled.name), { automountServiceAccountToken: false })
}

/** A drain of nodes takes one consumer at a time; one that cannot start does not stand in its way. */
export function budget({ pipeline, settled }: Blueprint): KubeObject {
  return owned(pipeline, BUDGETS, consumerName(settled.name), {
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorLabels(settled.name) }
    }
  })
}

export function deployment(blueprint: Blueprint): KubeObject {
  const { pipeline, settled, replicas, secretsHash } = blueprint
  const { consumer } = settled
  return owned(pipeline, DEPLOYMENTS, consumerName(settled.name), {
    spec: {
      replicas,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: selectorLabels(settled.name) },
      // A full stop is two rebalances in all, replacing one by one is two for each.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: 0, maxUnavailable: consumer.rollout === 'Recreate' ? '100%' : 1 }
      },
      template: {
        metadata: {
          labels: { ...consumer.labels, ...ownLabels(settled.name) },
          annotations: {
            'kubectl.kubernetes.io/default-container': 'consumer',
            ...consumer.annotations,
            [SECRETS_HASH]: secretsHash
          }
        },
        spec: podSpec(blueprint)
      }
    }
  })
}

function podSpec(blueprint: Blueprint): object {
  const { settled, pipeline } = blueprint
  const { consumer, name } = settled
  const config = configMap(pipeline).metadata.name
  return {
    serviceAccountName: consumer.serviceAccountName ?? consumerName(name),
    // Consumers need nothing of the cluster; an identity at the object store comes as a token of its own.
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: consumer.terminationGracePeriodSeconds,
    nodeSelector: consumer.nodeSelector,
    tolerations: consumer.tolerations,
    ...(consumer.priorityClassName === undefined ? {} : { priorityClassName: consumer.priorityClassName }),
    imagePullSecrets: consumer.imagePullSecrets.map(name => ({ name })),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selectorLabels(name) }
      }
    ],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' }
    },
    containers: [container(blueprint)],
    volumes: [
      { name: 'config', configMap: { name: config, defaultMode: 0o444 } },
      ...secretsOf(settled).map((secretName, index) => ({
        name: `secret-${index}`,
        secret: { secretName, defaultMode: 0o440 }
      })),
      ...temporaryFolder(settled).map(({ volume }) => volume)
    ]
  }
}

function container({ settled, image }: Blueprint): object {
  const { resources } = settled.consumer
  const probe = (path: string, timing: object) => ({ httpGet: { path, port: 'http' }, timeoutSeconds: 5, ...timing })
  return {
    name: 'consumer',
    image,
    command: ['node', 'consumer/main.ts'],
    args: ['--pipeline', CONFIG_FILE, '--secrets', SECRETS_FOLDER, '--instance', '$(POD_NAME)', '--port', String(PORT)],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...Object.entries(CONSUMER_ENVIRONMENT).map(([name, value]) => ({ name, value })),
      {
        name: 'NODE_OPTIONS',
        value: consumerNodeOptions(`--max-old-space-size=${heapMiB(resources.limits?.['memory'])}`)
      }
    ],
    ports: [{ name: 'http', containerPort: PORT }],
    resources,
    startupProbe: probe('/livez', { periodSeconds: 2, failureThreshold: 30 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: 3 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5, failureThreshold: 2 }),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] }
    },
    volumeMounts: [
      { name: 'config', mountPath: CONFIG_FILE, subPath: 'pipeline.yaml', readOnly: true },
      ...secretsOf(settled).map((secret, index) => ({
        name: `secret-${index}`,
        mountPath: `${SECRETS_FOLDER}/${secret}`,
        readOnly: true
      })),
      ...temporaryFolder(settled).map(({ mount }) => mount)
    ]
  }
}

/**
 * Snowflake's client writes files on their way to a stage, and the root file system is read-only. They are copies of what
 * is in memory. Other consumers write no files: their pods are to stay as they are.
 */
function temporaryFolder({ sink, consumer }: SettledPipeline): readonly { volume: object; mount: object }[] {
  if (sink.kind !== 'snowflake') return []
  const sizeLimit = consumer.resources.limits?.['memory'] ?? String(DEFAULT_LIMIT)
  return [{ volume: { name: 'tmp', emptyDir: { sizeLimit } }, mount: { name: 'tmp', mountPath: '/tmp' } }]
}

const MIB = 2 ** 20
const DEFAULT_LIMIT = 256 * MIB

function heapMiB(limit: string | undefined): number {
  const bytes = limit === undefined ? DEFAULT_LIMIT : (parseQuantity(limit) ?? DEFAULT_LIMIT)
  return Math.max(64, Math.floor((bytes * HEAP_SHARE) / MIB))
}

/** An object of the pipeline, marked with the hash of its own content. */
function owned(
  pipeline: BronzePipeline,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  name: string,
  content: object
): KubeObject {
  const labels = ownLabels(pipeline.metadata.name)
  const ownerReferences = [ownerReference(pipeline)]
  const hash = shortHash(JSON.stringify([content, labels]))
  const { namespace = 'default' } = pipeline.metadata
  const metadata = { namespace, name, labels, annotations: { [APPLIED]: hash }, ownerReferences }
  return { apiVersion, kind, metadata, ...content }
}
