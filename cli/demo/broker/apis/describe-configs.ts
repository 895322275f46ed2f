import type { Broker } from '../state.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import {
  array,
  bool,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  upTo
} from '../wire/schema.ts'

const TOPIC = 2
const BROKER = 4
/** Where a value comes from. */
const DYNAMIC_TOPIC = 1
const DEFAULT = 5

const TOPIC_DEFAULTS = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'max.message.bytes': '1048588',
  'message.timestamp.type': 'CreateTime',
  'min.insync.replicas': '1',
  'retention.bytes': '-1',
  'retention.ms': '-1'
} as const

export const describeConfigs = api({
  key: 32,
  versions: [0, 4],
  flexibleFrom: 4,
  request: struct({
    resources: array(struct({ resourceType: int8, resourceName: string, configurationKeys: nullableArray(string) })),
    includeSynonyms: since(1, bool),
    includeDocumentation: since(3, bool)
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        resourceType: int8,
        resourceName: string,
        configs: array(
          struct({
            name: string,
            value: nullableString,
            readOnly: bool,
            isDefault: upTo(0, bool),
            configSource: since(1, int8, -1),
            isSensitive: bool,
            synonyms: since(1, array(struct({ name: string, value: nullableString, source: int8 }))),
            configType: since(3, int8),
            documentation: since(3, nullableString)
          })
        )
      })
    )
  }),
  handle: (broker, { resources }, call) => ({
    results: resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const known = settings(broker, resourceType, resourceName)
      const errorCode = call.injected(resourceName) || (typeof known === 'number' ? known : ERROR.NONE)
      if (errorCode !== ERROR.NONE || typeof known === 'number') return { errorCode, resourceType, resourceName }
      const wanted = known.filter(({ name }) => configurationKeys === null || configurationKeys.includes(name))
      return { resourceType, resourceName, configs: wanted }
    })
  })
})

/** The settings of a topic or the broker, or an error code. */
function settings(broker: Broker, resourceType: number, resourceName: string) {
  if (resourceType === BROKER)
    return [{ name: 'num.partitions', value: String(broker.defaultPartitions), isDefault: true, configSource: DEFAULT }]
  if (resourceType !== TOPIC) return ERROR.INVALID_REQUEST
  const topic = broker.topics.get(resourceName)
  if (topic === undefined) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  return Array.from(new Map([...Object.entries(TOPIC_DEFAULTS), ...topic.configs]), ([name, value]) => {
    const isDefault = !topic.configs.has(name)
    return { name, value, isDefault, configSource: isDefault ? DEFAULT : DYNAMIC_TOPIC }
  })
}
