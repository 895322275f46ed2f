import { parseDurationMs } from '../lib/duration.ts'
import { parseQuantity } from '../lib/quantity.ts'
import type { ConsumerSpec, ResourceList, ResourcesSpec, SinkSpec } from './pipeline.ts'
import type { SettledConsumer } from './settled-consumer.ts'

const DEFAULT_CPU = '100m'
const DEFAULT_MEMORY = '256Mi'
/** Snowflake's client takes some 58 MiB when loaded, and buffers have half of what a limit leaves above what is used without it. */
const DEFAULT_MEMORY_WITH_SNOWFLAKE = '384Mi'
const DEFAULT_READY_TIMEOUT_MS = 600_000
const LOG_LEVELS = { Debug: 'debug', Info: 'info', Warn: 'warn', Error: 'error' } as const

export function settleConsumer(consumer: ConsumerSpec, { snowflake }: SinkSpec): SettledConsumer {
  const memory = snowflake === undefined ? DEFAULT_MEMORY : DEFAULT_MEMORY_WITH_SNOWFLAKE
  return {
    image: consumer.image,
    resources: settleResources(consumer.resources ?? {}, memory),
    nodeSelector: consumer.nodeSelector ?? {},
    serviceAccountName: consumer.serviceAccountName,
    labels: consumer.labels ?? {},
    annotations: consumer.annotations ?? {},
    tolerations: (consumer.tolerations ?? []).map(toleration => ({ ...toleration })),
    priorityClassName: consumer.priorityClassName,
    imagePullSecrets: (consumer.imagePullSecrets ?? []).map(secret => secret.name),
    terminationGracePeriodSeconds: consumer.terminationGracePeriodSeconds,
    upgrade: consumer.upgrade,
    rollout: consumer.rollout,
    readyTimeoutMs: settleReadyTimeout(consumer.readyTimeout),
    logLevel: LOG_LEVELS[consumer.logLevel]
  }
}

function settleReadyTimeout(readyTimeout: string | undefined): number | undefined {
  if (readyTimeout === undefined) return DEFAULT_READY_TIMEOUT_MS
  return parseDurationMs(readyTimeout) || undefined
}

/** Memory is always limited, since a consumer's byte budget is a share of its limit; the request follows the limit. */
function settleResources(resources: ResourcesSpec, defaultMemory: string): SettledConsumer['resources'] {
  const requests = quantities(resources.requests ?? {})
  const limits = quantities(resources.limits ?? {})
  const memory = limits['memory'] ?? requests['memory'] ?? defaultMemory
  return {
    requests: { cpu: smaller(DEFAULT_CPU, limits['cpu'] ?? DEFAULT_CPU), memory, ...requests },
    limits: { memory, ...limits }
  }
}

function quantities(list: ResourceList): Record<string, string> {
  return Object.fromEntries(Object.entries(list).map(([name, quantity]) => [name, String(quantity)]))
}

const smaller = (a: string, b: string) => ((parseQuantity(a) ?? 0) <= (parseQuantity(b) ?? 0) ? a : b)
