import { setTimeout as wait } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'

export interface Input {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  readonly recordsPerSecond: number
}

const EVERY_MS = 100
const VALUE = JSON.stringify({ event: 'view', user: 'u-1', page: '/a/page/of/some/length', at: '2026-01-01T00:00:00Z' })

/** Writes so many records a second, evenly to all partitions, until it is stopped. */
export async function steadyInput({
  bootstrap,
  topic,
  partitions,
  recordsPerSecond
}: Input): Promise<{ stop(): Promise<void> }> {
  const kafka = new Kafka({ clientId: 'rollout', brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const stopping = new AbortController()
  const startedMs = Date.now()
  let sent = 0
  const writing = (async () => {
    while (!stopping.signal.aborted) {
      // What the clock says is due, so that a late turn does not lower the rate.
      const due = Math.floor(((Date.now() - startedMs) * recordsPerSecond) / 1000)
      const messages = Array.from({ length: due - sent }, (_, n) => ({
        partition: (sent + n) % partitions,
        value: VALUE
      }))
      if (messages.length > 0) await producer.send({ topic, messages })
      sent = due
      await wait(EVERY_MS)
    }
  })()
  return {
    stop: async () => {
      stopping.abort()
      await writing
      await producer.disconnect()
    }
  }
}
