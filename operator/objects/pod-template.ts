import type { BronzePipeline, BronzePipelineSpec } from '../../crds/pipeline.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { CONSUMER_ENVIRONMENT, consumerNodeOptions } from '../../lib/consumer-environment.ts'
import { parseQuantity } from '../../lib/quantity.ts'
import { consumerName, ownLabels, RESTART_SECRETS, selectorLabels } from './names.ts'
import type { Blueprint, Rendering } from '../revision/revision.ts'
import { secretsOf, secretsReadAtStart } from './secret-names.ts'

const CONFIG_FILE = '/etc/bronze/pipeline.yaml'
const SECRETS_FOLDER = '/etc/bronze/secrets'
const PORT = 8080
/** Of the memory limit; records that wait, and what is fetched and uploaded, lie outside the heap. */
const HEAP_SHARE = 0.5
/** Pretty texts are for people; those that are longer are for machines alone, and must fit into a ConfigMap. */
const MAX_PRETTY_BYTES = 262_144

/** What consumers read and what their pods are, as this version of the operator makes them; `configName` is the ConfigMap. */
export function render(blueprint: Blueprint, configName: string): Rendering {
  const { settled } = blueprint
  return {
    config: configText(blueprint.pipeline),
    template: {
      metadata: {
        labels: { ...settled.consumer.labels, ...ownLabels(settled.name) },
        annotations: {
          'kubectl.kubernetes.io/default-container': 'consumer',
          ...settled.consumer.annotations,
          [RESTART_SECRETS]: secretsReadAtStart(settled).join(',')
        }
      },
      spec: podSpec(blueprint, configName)
    }
  }
}

/** JSON is YAML. */
function configText(pipeline: BronzePipeline): string {
  const { name, namespace = 'default', creationTimestamp } = pipeline.metadata
  const config = {
    apiVersion: pipeline.apiVersion,
    kind: pipeline.kind,
    metadata: { name, namespace, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    spec: consumerSpec(pipeline.spec)
  }
  const pretty = `${JSON.stringify(config, null, 2)}\n`
  return pretty.length <= MAX_PRETTY_BYTES ? pretty : `${JSON.stringify(config)}\n`
}

/** Without what consumers do not look at: older ones refuse fields that they do not know. */
function consumerSpec(spec: BronzePipelineSpec): object {
  const { scaling: _scaling, suspend: _suspend, mode: _mode, consumer, ...read } = spec
  const { logLevel, terminationGracePeriodSeconds } = consumer
  return { ...read, consumer: { logLevel, terminationGracePeriodSeconds } }
}

function podSpec(blueprint: Blueprint, configName: string) {
  const { settled } = blueprint
  const { consumer, name } = settled
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
      { name: 'config', configMap: { name: configName, defaultMode: 0o444 } },
      ...secretsOf(settled).map((secretName, index) => ({
        name: `secret-${index}`,
        secret: { secretName, defaultMode: 0o440 }
      })),
      ...temporaryFolder(settled).map(({ volume }) => volume)
    ]
  }
}

function container({ settled, image }: Blueprint) {
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
function temporaryFolder({ sink, consumer }: SettledPipeline) {
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
