import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { produce } from './broker/apis/produce.ts'
import { frames } from './broker/wire/frames.ts'
import { Reader } from './broker/wire/reader.ts'
import { Writer } from './broker/wire/writer.ts'

const VERSION = 9

/** Sends record batches over the wire, one request at a time. */
export class DemoProducer {
  #socket: Socket
  #answers: AsyncGenerator<Buffer>
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#answers = frames(socket)
  }

  static async connect(host: string, port: number): Promise<DemoProducer> {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    return new DemoProducer(socket)
  }

  /** Rejects when the broker refuses the batch. */
  async send(topic: string, partition: number, batch: Buffer): Promise<void> {
    const writer = new Writer(VERSION, true)
    writer.int16(produce.key)
    writer.int16(VERSION)
    writer.int32(++this.#correlationId)
    writer.int16(-1) // no client id
    writer.unsignedVarint(0)
    const partitionData = [{ index: partition, records: [batch] }]
    produce.request.write(writer, { acks: -1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] })
    const size = Buffer.alloc(4)
    size.writeInt32BE(writer.size)
    this.#socket.write(Buffer.concat([size, ...writer.finish()]))
    const answer = await this.#answers.next()
    if (answer.done === true) throw new Error('the broker closed the connection')
    const reader = new Reader(answer.value, VERSION, true, 4)
    reader.taggedFields(() => {})
    const { responses } = produce.response.read(reader) as {
      responses: { partitionResponses: { errorCode: number }[] }[]
    }
    const errorCode = responses[0]?.partitionResponses[0]?.errorCode
    if (errorCode !== 0) throw new Error(`the broker refused a batch for ${topic}: error code ${errorCode}`)
  }

  close(): void {
    this.#socket.destroy()
  }
}
