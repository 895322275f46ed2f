import { type MessageRecord, produceV7, produceV9 } from '@platformatic/kafka'
import type { SettledPipeline } from '../../crds/settled.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { FatalError, RetryableError, invariant } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import type { DeadLetterRecord } from '../decode/dead-letter.ts'
import { Cluster } from './cluster.ts'
import { Connections } from './connections.ts'
import { deadLetterMessage } from './dead-letter-message.ts'
import { Security } from './security.ts'
import { checkCode, errorIds, sourceError } from './trouble.ts'

export interface DeadLetterProducerOptions {
  readonly pipeline: Pick<SettledPipeline, 'source' | 'deadLetters'>
  readonly clientId: string
  readonly readSecret: ReadSecret
  readonly clock: Clock
  readonly log: Log
}

export interface DeadLetterProducer {
  /**
   * Sends records to the dead-letter topics of their topics, and resolves when all in-sync replicas have them. At least
   * once: after an error any part of them may be there. RetryableError, or FatalError when the topic can never take them.
   */
  send(records: readonly DeadLetterRecord[]): Promise<void>
  close(): Promise<void>
}

const PRODUCE = [produceV9.api, produceV7.api] as const
const ACKS_ALL = -1
const REQUEST_TIMEOUT_MS = 30_000
/** Brokers take batches of 1 MiB unless told otherwise; a record larger than this is sent alone. */
const BATCH_BYTES = 512 << 10
const ATTEMPTS = 4

/** For `deadLetters.policy: Topic`. Connects when there is something to send. */
export function openDeadLetterProducer(options: DeadLetterProducerOptions): DeadLetterProducer {
  const { pipeline, clientId, readSecret, clock } = options
  const { source, deadLetters } = pipeline
  const timeouts = { fetch: REQUEST_TIMEOUT_MS, group: REQUEST_TIMEOUT_MS, control: REQUEST_TIMEOUT_MS }
  const connections = new Connections(clientId, new Security(source.security, readSecret, clock), timeouts)
  const cluster = new Cluster(connections, source.bootstrapServers)
  return {
    send: async records => {
      const byTopic = Map.groupBy(records, ({ topic }) => deadLetters.topic.replaceAll('{topic}', () => topic))
      for (const [topic, letters] of byTopic) await sendAll(cluster, topic, letters, options)
    },
    close: () => connections.close()
  }
}

async function sendAll(
  cluster: Cluster,
  topic: string,
  letters: readonly DeadLetterRecord[],
  { clock, log }: DeadLetterProducerOptions
): Promise<void> {
  let left = letters
  for (let attempt = 1; left.length > 0; attempt++) {
    const batch = firstBatch(left)
    try {
      await sendBatch(cluster, topic, batch)
      left = left.slice(batch.length)
      attempt = 0
    } catch (error) {
      const trouble = produceError(error, topic)
      if (!(trouble instanceof RetryableError) || attempt >= ATTEMPTS) throw trouble
      log.warn('dead letters could not be sent; trying again', { topic, attempt }, error)
      await clock.sleep(backoffMs(attempt, clock.random()))
    }
  }
}

/** As many as go into one request. */
function firstBatch(letters: readonly DeadLetterRecord[]): readonly DeadLetterRecord[] {
  let bytes = 0
  const end = letters.findIndex((letter, index) => {
    bytes += (letter.key?.length ?? 0) + (letter.value?.length ?? 0)
    return index > 0 && bytes > BATCH_BYTES
  })
  return end < 0 ? letters : letters.slice(0, end)
}

/** The letters of one partition stay together and in order, whatever number of partitions the topic has. */
async function sendBatch(cluster: Cluster, topic: string, letters: readonly DeadLetterRecord[]): Promise<void> {
  const described = (await cluster.describe([topic])).get(topic)
  if (described === undefined || described.partitions.length === 0) {
    throw new RetryableError('DeadLetterTopicMissing', `the dead-letter topic ${topic} does not exist: create it`)
  }
  const count = described.partitions.length
  const byLeader = Map.groupBy(letters, ({ partition }) => cluster.leaderOf(topic, partition % count) ?? -1)
  for (const [leader, led] of byLeader) {
    if (leader < 0) throw new RetryableError('SourceTrouble', `the dead-letter topic ${topic} has no leader now`)
    const link = await cluster.link('control', leader)
    const messages = led.map((letter): MessageRecord => ({
      ...deadLetterMessage(letter),
      topic,
      partition: letter.partition % count
    }))
    const answer = await link.call(PRODUCE, ACKS_ALL, REQUEST_TIMEOUT_MS, messages, {})
    invariant(typeof answer !== 'boolean', 'a produce request that wants acknowledgement has an answer')
    for (const { partitionResponses } of answer.responses) {
      for (const { errorCode } of partitionResponses) checkCode(errorCode)
    }
  }
}

function produceError(error: unknown, topic: string): Error {
  const ids = errorIds(error)
  const options = { cause: error }
  if (ids.has('MESSAGE_TOO_LARGE') || ids.has('RECORD_LIST_TOO_LARGE')) {
    const message = `A dead letter is larger than topic ${topic} takes: raise its max.message.bytes.`
    return new FatalError('DeadLetterTooLarge', message, options)
  }
  if (ids.has('TOPIC_AUTHORIZATION_FAILED')) {
    const message = `The user of spec.source.security may not write topic ${topic}: allow Write on it.`
    return new FatalError('DeadLetterTopicForbidden', message, options)
  }
  return sourceError(error)
}
