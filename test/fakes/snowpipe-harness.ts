import { generateKeyPairSync } from 'node:crypto'
import { openStreamingService } from '../../consumer/sinks/snowflake/streaming/rest.ts'
import type { StreamingService } from '../../consumer/sinks/snowflake/streaming/service.ts'
import { openStreamingSink } from '../../consumer/sinks/snowflake/streaming/sink.ts'
import { RetryableError, invariant } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { plannedTable } from '../conformance/batches.ts'
import type { SinkHarness } from '../conformance/sink-context.ts'
import { hastyClock } from './delta-harness.ts'
import type { Operation } from './faulty-store.ts'
import { MemoryLedger, SqlMemory, memoryTables, type Trouble } from './snowpipe-memory.ts'
import { SnowpipeServer } from './snowpipe-server.ts'
import type { Row } from './snowpipe-state.ts'

export const STREAMING_SINK =
  '{snowflake: {account: acme-test, database: lake, schema: bronze, mode: Streaming, credentialsSecretRef: {name: snowflake}}}'

/** Made once: it takes some 100 ms. */
let keyPair: { readonly pem: string; readonly account: ConstructorParameters<typeof SnowpipeServer>[0] } | undefined

export function testAccount(): NonNullable<typeof keyPair> {
  if (keyPair !== undefined) return keyPair
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  keyPair = { pem, account: { account: 'acme-test', user: 'loader', privateKey } }
  return keyPair
}

/** What a Secret of the test's account holds. */
export const readTestSecret = async (_name: string, key: string): Promise<string | undefined> =>
  ({ user: 'loader', privateKey: testAccount().pem })[key]

export interface StreamingHarness extends SinkHarness {
  readonly server: SnowpipeServer
  readonly memory: SqlMemory
}

/** Tables behind a fake of Snowpipe Streaming over HTTP, as the conformance suite wants them. */
export async function streamingHarness({
  commitLag = 0
}: { readonly commitLag?: number } = {}): Promise<StreamingHarness> {
  const server = new SnowpipeServer(testAccount().account)
  await server.start()
  server.state.commitLag = commitLag
  const { pipeline, plan } = plannedTable(STREAMING_SINK)
  const memory = new SqlMemory(server.state, plan)
  const services: StreamingService[] = []
  let nextConsumer = 0
  invariant(pipeline.sink.kind === 'snowflake', 'the pipeline writes to Snowflake')
  const snowflake = { ...pipeline.sink.snowflake, url: server.url }
  return {
    server,
    memory,
    kind: 'snowflake',
    plan,
    widerPlan: plannedTable(STREAMING_SINK, { wider: true }).plan,
    isOneStep: true,
    process: ({ plan: wanted = plan, pipeline: name = 'test/conformance' } = {}) => {
      const client = new Interference(server)
      const author = { pipeline: name, createdAt: undefined, consumerId: `consumer-${nextConsumer++}` }
      const service = openStreamingService({ snowflake, readSecret: readTestSecret, clock: hastyClock })
      services.push(service)
      const run = client.run.bind(client)
      return {
        sink: openStreamingSink({
          plan: wanted,
          pipeline,
          snowflake,
          tables: memoryTables(memory, wanted, run),
          ledger: new MemoryLedger(memory, author, run),
          service: client.around(service),
          clock: hastyClock,
          log: silentLog,
          author,
          limits: { commitMs: 2_000, politeMs: 1_000 }
        }),
        onOperation: fault => {
          client.trouble = fault
        },
        settle: async () => await client.settle(),
        isCommit: ({ kind, path }) =>
          kind === 'move' || kind === 'pin' || (kind === 'append' && path.startsWith('ORDERS-STREAMING/'))
      }
    },
    rows: async () => server.state.table('ORDERS').rows.map(rowId).sort(),
    deadLetters: async () => server.state.table('DLQ_ORDERS').rows.map(letterId).sort(),
    close: async () => {
      for (const service of services) service.close()
      server.close()
    }
  }
}

export const rowId = (row: Row): string => `${String(row['_KAFKA_PARTITION'])}-${String(row['_KAFKA_OFFSET'])}`

export function letterId(row: Row): string {
  const { partition, offset } = row['KAFKA_METADATA'] as Record<string, unknown>
  return `${String(partition)}-${String(offset)}`
}

/** A client's view of the service and of SQL, with trouble on demand. What takes effect is in the table then. */
class Interference {
  trouble: Trouble = () => undefined
  readonly #server: SnowpipeServer
  readonly #delayed: (() => Promise<unknown>)[] = []

  constructor(server: SnowpipeServer) {
    this.#server = server
  }

  async settle(): Promise<void> {
    for (const effect of this.#delayed.splice(0)) await effect()
    this.#server.state.commitAll()
  }

  async run<T>(operation: Operation, effect: () => T | Promise<T>): Promise<T> {
    const fault = this.trouble(operation)
    // Others are served between any two steps of ours.
    await new Promise(resolve => {
      setImmediate(resolve)
    })
    if (fault === undefined) return await effect()
    if (fault === 'after') {
      await effect()
      this.#server.state.commitAll()
    }
    if (fault === 'delayed') this.#delayed.push(async () => await effect())
    throw new RetryableError('SnowflakeFault', `${operation.kind} ${operation.path} failed (${fault})`)
  }

  around(service: StreamingService): StreamingService {
    return {
      open: async (pipe, channel) =>
        await this.run(
          { kind: 'open', path: `${pipe.name}/${channel}` },
          async () => await service.open(pipe, channel)
        ),
      statuses: async (pipe, channels) =>
        await this.run({ kind: 'statuses', path: pipe.name }, async () => await service.statuses(pipe, channels)),
      append: async (pipe, channel, request) => {
        const operation = { kind: 'append', path: `${pipe.name}/${channel}` } as const
        return await this.run(operation, async () => await service.append(pipe, channel, request)).catch(
          (error: unknown) => {
            if (!(error instanceof RetryableError)) throw error
            return { status: 'unknown', error } as const
          }
        )
      },
      close: () => service.close()
    }
  }
}
