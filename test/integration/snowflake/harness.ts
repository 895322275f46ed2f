import { randomUUID } from 'node:crypto'
import { openSnowflakeSink, type SinkLimits } from '../../../consumer/sinks/snowflake/sink.ts'
import { tableObjects } from '../../../consumer/sinks/snowflake/sql/objects.ts'
import { snowflakeSessions } from '../../../consumer/sinks/snowflake/session/open.ts'
import type { SnowflakeSession } from '../../../consumer/sinks/snowflake/session/session.ts'
import type { SnowflakeSink } from '../../../crds/settled.ts'
import { systemClock } from '../../../lib/clock.ts'
import { Gate } from '../../../lib/gate.ts'
import { silentLog } from '../../../lib/log.ts'
import { plannedTable } from '../../conformance/batches.ts'
import type { SinkHarness } from '../../conformance/sink-context.ts'
import { hastyClock } from '../../fakes/delta-harness.ts'
import type { Fault, Operation } from '../../fakes/faulty-store.ts'
import { FaultySession } from '../../fakes/snowflake-faulty-session.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

export interface SnowflakeHarnessOptions {
  readonly mode?: 'Transaction' | 'Merge'
  readonly limits?: Partial<SinkLimits>
}

/** Tables of the stand-in, as the conformance suite wants them. */
export async function snowflakeHarness({
  mode = 'Transaction',
  limits
}: SnowflakeHarnessOptions): Promise<SinkHarness> {
  const server = await sharedSnowflake()
  const { database, user, password } = server
  const secrets: Readonly<Record<string, string>> = { user, password }
  const readSecret = async (_name: string, key: string) => secrets[key]
  const manifest = JSON.stringify({
    snowflake: {
      account: server.account,
      url: server.url,
      database,
      warehouse: server.warehouse,
      authentication: 'Password',
      credentialsSecretRef: { name: 'snowflake' },
      mode
    }
  })
  const namespace = `n${randomUUID().replaceAll('-', '')}`
  const { pipeline, plan } = plannedTable(manifest, { namespace })
  if (pipeline.sink.kind !== 'snowflake') throw new Error('the pipeline writes to Snowflake')
  const { snowflake } = pipeline.sink
  const open = snowflakeSessions({ snowflake, readSecret, clock: systemClock })
  const reader = await open('reader')
  let nextConsumer = 0
  return {
    kind: 'snowflake',
    plan,
    widerPlan: plannedTable(manifest, { wider: true, namespace }).plan,
    isOneStep: true,
    process: ({ plan: wanted = plan, pipeline: name = 'test/conformance' } = {}) => {
      const delayed: (() => Promise<unknown>)[] = []
      let fault: (operation: Operation) => Fault | undefined = () => undefined
      const sink = openSnowflakeSink({
        plan: wanted,
        pipeline,
        snowflake,
        open: async tag => new FaultySession(await open(tag), operation => fault(operation), delayed),
        clock: hastyClock,
        log: silentLog,
        uploads: new Gate(2),
        author: { pipeline: name, createdAt: undefined, consumerId: `consumer-${nextConsumer++}` },
        // On a loaded machine a live process holds a lock for seconds: it must not be taken for dead by all others at once.
        limits: { commitAttempts: 30, lockTimeoutSeconds: 1, ledgerMs: 1500, mainMs: 1500, ...limits }
      })
      return {
        sink,
        onOperation: next => {
          fault = next
        },
        settle: async () => {
          for (const effect of delayed.splice(0)) await effect()
        },
        isCommit: ({ path }) => path === 'COMMIT'
      }
    },
    rows: async () => await keysIn(reader, snowflake, plan.table, '"_KAFKA_PARTITION"', '"_KAFKA_OFFSET"'),
    deadLetters: async () =>
      await keysIn(
        reader,
        snowflake,
        plan.deadLetterTable ?? '',
        'KAFKA_METADATA:partition::INT',
        'KAFKA_METADATA:offset::INT'
      ),
    close: async () => {
      await reader.run({ text: `DROP SCHEMA IF EXISTS ${tableObjects(snowflake, plan.table, undefined).schemaRef}` })
      await reader.close()
    }
  }
}

async function keysIn(
  session: SnowflakeSession,
  snowflake: SnowflakeSink,
  table: string,
  partition: string,
  offset: string
): Promise<readonly string[]> {
  const { tableRef } = tableObjects(snowflake, table, undefined)
  const { rows } = await session.run({ text: `SELECT ${partition} AS P, ${offset} AS O FROM ${tableRef}` })
  return rows.map(row => `${row['P']}-${row['O']}`).sort()
}
