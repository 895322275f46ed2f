import assert from 'node:assert/strict'
import { Connection } from '@platformatic/kafka'
import { AbortedTransactions } from '../../../../consumer/source/aborted-transactions.ts'
import { Cluster } from '../../../../consumer/source/cluster.ts'
import { Connections, Link } from '../../../../consumer/source/connections.ts'
import {
  type FetchedPartition,
  type PartitionToFetch,
  fetchRecords,
  fetchesById
} from '../../../../consumer/source/fetch-request.ts'
import { RecordSet } from '../../../../consumer/source/record-set.ts'
import { Security } from '../../../../consumer/source/security.ts'
import { systemClock } from '../../../../lib/clock.ts'
import { PLAINTEXT } from '../harness.ts'
import { type Law, numbered } from './law.ts'

const LIMITS = { maxWaitMs: 100, maxBytes: 1 << 20, partitionMaxBytes: 1 << 20 }
const TIMEOUTS = { fetch: 5000, group: 5000, control: 5000 }

export function wireLaws(law: Law): void {
  law(
    'every version of fetch that is spoken brings the same batches and the same aborted transactions',
    async ({ cluster, topic }) => {
      await cluster.createTopic(topic)
      await cluster.transact(`${topic}-x`, topic, ['aborted'], 'abort')
      await cluster.produce(topic, 0, numbered(3), 'zstd')
      const [host = '', port = ''] = cluster.bootstrap.split(':')
      const connections = new Connections('test', new Security(PLAINTEXT, async () => undefined, systemClock), TIMEOUTS)
      const described = (await new Cluster(connections, [cluster.bootstrap]).describe([topic])).get(topic)
      await connections.close()
      const connection = new Connection('test')
      await connection.connect(host, Number(port))
      try {
        for (const version of [11, 12, 13]) {
          const link = new Link(connection, new Map([[1, { minVersion: version, maxVersion: version }]]))
          assert.equal(fetchesById(link), version === 13)
          const asked = {
            topic,
            topicId: described?.topicId ?? '',
            partition: 0,
            fetchOffset: 0,
            leaderEpoch: -1,
            lastFetchedEpoch: -1
          }
          const [answer, ...others] = await fetchStable(link, asked)
          assert.ok(answer !== undefined && others.length === 0)
          assert.equal(answer.topicKey, version === 13 ? described?.topicId : topic)
          assert.deepEqual(
            [answer.errorCode, answer.highWatermark, answer.logStart, answer.aborted.length],
            [0, 5, 0, 1],
            `v${version}`
          )
          const records = new RecordSet(
            asked,
            answer.records ?? Buffer.alloc(0),
            0,
            new AbortedTransactions(answer.aborted)
          )
          // The marker of an abort may come after what was produced since.
          const kinds = [records.next(true)?.kind, records.next(true)?.kind, records.next(true)?.kind]
          assert.equal(records.next(true), undefined)
          assert.equal(kinds.filter(kind => kind === 'skip').length, 2, `v${version}`)
          assert.equal(kinds.filter(kind => kind === 'data').length, 1, `v${version}`)
        }
      } finally {
        await connection.close()
      }
    }
  )
}

/** The marker that ends a transaction is written a little after the transaction has ended. */
async function fetchStable(link: Link, asked: PartitionToFetch): Promise<readonly FetchedPartition[]> {
  for (let attempt = 1; ; attempt++) {
    const answers = await fetchRecords(link, [asked], LIMITS)
    if (answers[0]?.lastStableOffset === 5 || attempt === 50) return answers
    await systemClock.sleep(50)
  }
}
