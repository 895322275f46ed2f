import { Connection } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { type BrokerOptions, type EmbeddedBroker, startBroker } from '../../../../cli/demo/broker/broker.ts'

export interface Clients {
  readonly kafkajs: Kafka
  /** Of the other client: for single requests. */
  readonly connection: Connection
}

/** Runs `body` on a broker of its own, with the means to reach it through both clients; stops all after it. */
export async function withBroker<T>(
  options: BrokerOptions,
  body: (broker: EmbeddedBroker, clients: Clients) => Promise<T>
): Promise<T> {
  const broker = await startBroker(options)
  const connection = new Connection('test', { requestTimeout: 10_000 })
  try {
    await connection.connect('127.0.0.1', broker.port)
    const retry = { initialRetryTime: 10, maxRetryTime: 50, retries: 5 }
    const kafkajs = new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry })
    return await body(broker, { kafkajs, connection })
  } finally {
    await connection.close().catch(() => {})
    await broker.stop()
  }
}
