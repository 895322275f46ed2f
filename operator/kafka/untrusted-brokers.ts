import { createRequire } from 'node:module'

/**
 * Whoever may create a pipeline names brokers in it, and these may be his own. kafkajs believes its brokers: an answer too
 * short to be one ends the process, one that says it is large is gathered until memory ends, and a login with two billion
 * rounds keeps a thread of four for an hour. Here such answers end their connection. The version of kafkajs is pinned.
 */
interface Connection {
  /** Of the answer that is being gathered. */
  readonly bytesNeeded: number
  readonly socket: { destroy(error: Error): void }
  processData: (this: Connection, data: Buffer) => void
}

interface Login {
  sendClientFinalMessage: (this: Login, first: { readonly i?: string }) => Promise<unknown>
}

/** The topics of a cluster of 200,000 partitions take a third of it. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** Half a second's work. Kafka's own are 4,096 and 8,192. */
const MAX_LOGIN_ROUNDS = 1_000_000

const load = createRequire(import.meta.url)

const { prototype: connection } = load('kafkajs/src/network/connection') as { prototype: Connection }
const process = connection.processData
connection.processData = function processWithinLimits(data) {
  try {
    process.call(this, data)
  } catch (error) {
    this.socket.destroy(new Error('an answer of the broker is not one', { cause: error }))
    return
  }
  if (this.bytesNeeded > MAX_ANSWER_BYTES) this.socket.destroy(new Error('an answer of the broker is too large'))
}

const { SCRAM } = load('kafkajs/src/broker/saslAuthenticator/scram') as { SCRAM: { prototype: Login } }
const answer = SCRAM.prototype.sendClientFinalMessage
SCRAM.prototype.sendClientFinalMessage = async function answerWithinLimits(first) {
  const rounds = Number(first.i)
  // `!` and not `>`: also what is no number.
  if (!(rounds <= MAX_LOGIN_ROUNDS)) throw new Error(`the broker asks for ${first.i} rounds`)
  return await answer.call(this, first)
}
