/** Appends Avro's primitives (Avro 1.12, "Binary Encoding"). */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** All that was written; valid until more is. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  raw(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Any integer of 64 bits. */
  long(value: number | bigint): void {
    this.#makeRoom(10)
    if (typeof value === 'number' && Math.abs(value) < 2 ** 52) {
      let rest = value < 0 ? -2 * value - 1 : 2 * value
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      this.#bytes[this.#length++] = rest
      return
    }
    const wide = BigInt(value)
    let rest = wide < 0n ? -2n * wide - 1n : 2n * wide
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
    this.#bytes[this.#length++] = Number(rest)
  }

  bytes(value: Uint8Array): void {
    this.long(value.length)
    this.raw(value)
  }

  float(value: number): void {
    this.#makeRoom(4)
    this.#length = this.#bytes.writeFloatLE(value, this.#length)
  }

  double(value: number): void {
    this.#makeRoom(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  byte(value: number): void {
    this.#makeRoom(1)
    this.#bytes[this.#length++] = value
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
