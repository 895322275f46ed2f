import type { Partition } from '../partition.ts'

const NINE = 0x39

/**
 * `topic-partition-offset`; with an epoch, `topic-partition~epoch-offset`. Offsets mostly follow one another: the digits
 * are counted up where they stand.
 */
export class IngestionId {
  readonly #prefixLength: number
  /** The prefix, then the digits of the offset. */
  readonly bytes: Buffer
  length = 0
  #offset = -1

  constructor({ topic, partition }: Partition, epoch: number) {
    const prefix = ingestionPrefix(topic, partition, epoch)
    this.#prefixLength = Buffer.byteLength(prefix)
    this.bytes = Buffer.alloc(this.#prefixLength + 20)
    this.bytes.write(prefix)
  }

  set(offset: number): void {
    const follows = offset === this.#offset + 1 && this.#offset > 0
    this.#offset = offset
    if (follows && this.#countUp()) return
    this.length = this.#prefixLength + this.bytes.write(String(offset), this.#prefixLength, 'latin1')
  }

  /** False when another digit is needed. */
  #countUp(): boolean {
    const { bytes } = this
    for (let at = this.length - 1; at >= this.#prefixLength; at--) {
      const digit = bytes[at] as number
      if (digit !== NINE) {
        bytes[at] = digit + 1
        return true
      }
      bytes[at] = 0x30
    }
    return false
  }
}

export const ingestionPrefix = (topic: string, partition: number, epoch: number): string =>
  `${topic}-${partition}${epoch > 0 ? `~${epoch}` : ''}-`
