import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kafka from '@platformatic/kafka'
import { served } from '../../../../cli/demo/broker/apis/served.ts'
import { withBroker } from './with-broker.ts'

interface ClientApi {
  async(connection: kafka.Connection, ...args: readonly unknown[]): Promise<unknown>
}

interface Exchange {
  /** The client's name of the API, without its version. */
  readonly api: string
  readonly key: number
  readonly args: (names: { topic: string; topicId: string; version: number }) => readonly unknown[]
  /** What every version must answer at least; by version where they differ. */
  readonly expect: (version: number, names: { topic: string; topicId: string }) => Record<string, unknown>
  readonly isExpectedError?: boolean
}

const partition0 = (more: object) => [{ partitionIndex: 0, partition: 0, ...more }]

const EXCHANGES: readonly Exchange[] = [
  {
    api: 'metadata',
    key: 3,
    args: ({ topic }) => [[topic]],
    expect: (version, { topic, topicId }) => ({
      topics: [
        {
          errorCode: 0,
          name: topic,
          ...(version >= 10 && { topicId }),
          partitions: [{ partitionIndex: 0, leaderId: 1 }]
        }
      ]
    })
  },
  {
    api: 'listOffsets',
    key: 2,
    args: ({ topic }) => [-1, 0, [{ name: topic, partitions: partition0({ currentLeaderEpoch: -1, timestamp: -1n }) }]],
    expect: () => ({ topics: [{ partitions: [{ partitionIndex: 0, errorCode: 0, offset: 3n }] }] })
  },
  {
    api: 'fetch',
    key: 1,
    args: ({ topic, topicId, version }) => [
      0,
      1,
      1_000_000,
      1,
      0,
      -1,
      [
        {
          ...(version >= 13 ? { topicId } : { topic, topicId: topic }),
          partitions: partition0({
            currentLeaderEpoch: 0,
            fetchOffset: 0n,
            lastFetchedEpoch: 0,
            partitionMaxBytes: 1_000_000
          })
        }
      ],
      [],
      ''
    ],
    expect: version => ({
      responses: [
        {
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              highWatermark: 3n,
              lastStableOffset: 3n,
              ...(version >= 5 && { logStartOffset: 0n }),
              records: [{ firstOffset: 0n, records: [{}, {}, {}] }]
            }
          ]
        }
      ]
    })
  },
  {
    api: 'findCoordinator',
    key: 10,
    args: () => [0, ['group']],
    expect: version => ({
      coordinators: [{ ...(version >= 4 && { key: 'group' }), nodeId: 1, host: '127.0.0.1', errorCode: 0 }]
    })
  },
  {
    api: 'offsetCommit',
    key: 8,
    args: ({ topic }) => [
      'group',
      -1,
      '',
      null,
      [
        {
          name: topic,
          partitions: partition0({ committedOffset: 2n, committedLeaderEpoch: 0, committedMetadata: 'note' })
        }
      ]
    ],
    expect: (_version, { topic }) => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, errorCode: 0 }] }] })
  },
  {
    api: 'offsetFetch',
    key: 9,
    args: ({ topic }) => [
      [{ groupId: 'group', memberId: null, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [0] }] }],
      true
    ],
    expect: (version, { topic }) => {
      const topics = [
        { name: topic, partitions: [{ partitionIndex: 0, committedOffset: 2n, metadata: 'note', errorCode: 0 }] }
      ]
      return version >= 8 ? { groups: [{ groupId: 'group', topics }] } : { topics }
    }
  },
  {
    api: 'offsetForLeaderEpoch',
    key: 23,
    args: ({ topic }) => [-1, [{ name: topic, partitions: partition0({ currentLeaderEpoch: 0, leaderEpoch: 0 }) }]],
    expect: () => ({ topics: [{ partitions: [{ partition: 0, errorCode: 0, leaderEpoch: 0, endOffset: 3n }] }] })
  },
  {
    api: 'heartbeat',
    key: 12,
    args: () => ['nobody', 1, 'me', null],
    expect: () => ({ errorCode: 25 }),
    isExpectedError: true
  },
  { api: 'listGroups', key: 16, args: () => [[], []], expect: () => ({ groups: [{ groupId: 'group' }] }) },
  {
    api: 'describeGroups',
    key: 15,
    args: () => [['group'], false],
    expect: () => ({ groups: [{ groupId: 'group', errorCode: 0, groupState: 'Empty', members: [] }] })
  },
  {
    api: 'describeConfigs',
    key: 32,
    args: ({ topic }) => [[{ resourceType: 2, resourceName: topic, configurationKeys: ['retention.ms'] }], true, true],
    expect: (_version, { topic }) => ({
      results: [{ errorCode: 0, resourceName: topic, configs: [{ name: 'retention.ms', value: '-1' }] }]
    })
  },
  {
    api: 'describeCluster',
    key: 60,
    args: () => [false, 1],
    expect: () => ({ controllerId: 1, brokers: [{ brokerId: 1, host: '127.0.0.1' }] })
  },
  {
    api: 'deleteRecords',
    key: 21,
    args: ({ topic }) => [[{ name: topic, partitions: partition0({ offset: 0n }) }], 1000],
    expect: () => ({ topics: [{ partitions: [{ partitionIndex: 0, lowWatermark: 0n, errorCode: 0 }] }] })
  },
  {
    api: 'createTopics',
    key: 19,
    args: ({ version }) => [
      [{ name: `made-${version}`, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
      1000,
      false
    ],
    expect: version => ({
      topics: [{ name: `made-${version}`, errorCode: 0, ...(version >= 5 && { numPartitions: 2 }) }]
    })
  },
  {
    api: 'createPartitions',
    key: 37,
    args: ({ version }) => [[{ name: `made-${version}`, count: 3, assignments: [] }], 1000, false],
    expect: version => ({ results: [{ name: `made-${version}`, errorCode: 0 }] })
  },
  {
    api: 'deleteTopics',
    key: 20,
    args: ({ version }) => [[{ name: `made-${version}`, topicId: NO_TOPIC_ID }], 1000],
    expect: version => ({ responses: [{ name: `made-${version}`, errorCode: 0 }] })
  },
  {
    api: 'deleteGroups',
    key: 42,
    args: () => [['absent']],
    expect: () => ({ results: [{ errorCode: 69 }] }),
    isExpectedError: true
  },
  {
    api: 'initProducerId',
    key: 22,
    args: () => [null, 1000, -1n, -1],
    expect: () => ({ errorCode: 0, producerEpoch: 0 })
  }
]
const NO_TOPIC_ID = '00000000-0000-0000-0000-000000000000'

test('every version of every API that the client knows is understood, and answered as it expects', () =>
  withBroker({}, async (broker, { connection }) => {
    const topic = 'orders'
    const { topicId } = broker.createTopic(topic)
    const producer = new kafka.Producer({ clientId: 'test', bootstrapBrokers: [broker.bootstrap] })
    const messages = ['a', 'b', 'c'].map(value => ({ topic, value: Buffer.from(value) }))
    await producer.send({ messages, acks: -1 })
    await producer.close()
    const tried = new Map<string, number[]>()
    for (const { api, key, args, expect, isExpectedError } of EXCHANGES) {
      const [first, last] = served.get(key)?.versions ?? [0, -1]
      for (let version = first; version <= last; version++) {
        const client = clientApi(api, version)
        if (client === undefined) continue
        tried.set(api, [...(tried.get(api) ?? []), version])
        const answer = await client.async(connection, ...args({ topic, topicId, version })).catch((error: unknown) => {
          if (isExpectedError && error instanceof kafka.ResponseError) return error.response
          throw new Error(`${api} v${version}`, { cause: error })
        })
        assertIncludes(answer, expect(version, { topic, topicId }), `${api} v${version}`)
      }
    }
    for (const { api } of EXCHANGES)
      assert.ok((tried.get(api)?.length ?? 0) > 0, `the client knows no version of ${api}`)
    assert.deepEqual(tried.get('fetch'), [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
  }))

test('a version of ApiVersions that is too new is answered in version 0', () =>
  withBroker({}, async (_broker, { connection }) => {
    const { createRequest } = kafka.apiVersionsV3
    const tooNew = kafka.createAPI(18, 99, createRequest, kafka.apiVersionsV0.parseResponse, true, false)
    const answer = await (tooNew as unknown as ClientApi)
      .async(connection, 'test', '1')
      .catch((error: unknown) => error)
    assert.ok(answer instanceof kafka.ResponseError)
    assertIncludes(answer.response, { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }, 'v99')
  }))

function clientApi(name: string, version: number): ClientApi | undefined {
  const module = (kafka as unknown as Record<string, { api: ClientApi } | undefined>)[`${name}V${version}`]
  return module?.api
}

/** All that `expected` names is in `actual`; an array is compared up to the length of the expected one. */
function assertIncludes(actual: unknown, expected: unknown, path: string): void {
  if (typeof expected !== 'object' || expected === null) return assert.equal(actual, expected, path)
  assert.ok(typeof actual === 'object' && actual !== null, `${path} is ${String(actual)}`)
  for (const [name, value] of Object.entries(expected))
    assertIncludes((actual as Record<string, unknown>)[name], value, `${path}.${name}`)
}
