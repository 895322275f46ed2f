import type { Readable } from 'node:stream'

/** Kafka's `socket.request.max.bytes`. */
const MAX_FRAME_BYTES = 100 * 1024 * 1024

/** The requests of a connection without their length, each in a buffer of its own. Throws RangeError for a wild length. */
export async function* frames(source: Readable): AsyncGenerator<Buffer> {
  const lengthBytes = Buffer.alloc(4)
  let lengthFilled = 0
  let frame: Buffer | undefined
  let filled = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (let position = 0; position < chunk.length;) {
      if (frame === undefined) {
        const taken = chunk.copy(lengthBytes, lengthFilled, position)
        lengthFilled += taken
        position += taken
        if (lengthFilled < 4) continue
        const length = lengthBytes.readInt32BE()
        if (length < 8 || length > MAX_FRAME_BYTES) throw new RangeError(`a request of ${length} bytes`)
        frame = Buffer.allocUnsafeSlow(length)
        filled = 0
        lengthFilled = 0
      }
      const taken = chunk.copy(frame, filled, position)
      filled += taken
      position += taken
      if (filled < frame.length) continue
      yield frame
      frame = undefined
    }
  }
}
