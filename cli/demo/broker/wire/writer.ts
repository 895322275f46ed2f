const FIRST_BYTES = 512

/** Writes the primitive types of Kafka's protocol into a list of buffers; record bytes join the list uncopied. */
export class Writer {
  readonly version: number
  readonly flexible: boolean
  #done: Buffer[] = []
  #doneBytes = 0
  #current = Buffer.allocUnsafe(FIRST_BYTES)
  #position = 0

  constructor(version: number, flexible: boolean) {
    this.version = version
    this.flexible = flexible
  }

  get size(): number {
    return this.#doneBytes + this.#position
  }

  int8(value: number): void {
    const at = this.#reserve(1)
    this.#current.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#reserve(2)
    this.#current.writeInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    this.#current.writeInt32BE(value, at)
  }

  int64(value: number): void {
    const at = this.#reserve(8)
    this.#current.writeBigInt64BE(BigInt(value), at)
  }

  uuid(value: string): void {
    const at = this.#reserve(16)
    this.#current.write(value.replaceAll('-', ''), at, 'hex')
  }

  unsignedVarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      const at = this.#reserve(1)
      this.#current.writeUInt8((rest % 0x80) + 0x80, at)
      rest = Math.floor(rest / 0x80)
    }
    const at = this.#reserve(1)
    this.#current.writeUInt8(rest, at)
  }

  string(value: string | null): void {
    const length = value === null ? -1 : Buffer.byteLength(value)
    if (this.flexible) this.unsignedVarint(length + 1)
    else this.int16(length)
    if (value === null) return
    const at = this.#reserve(length)
    this.#current.write(value, at, 'utf8')
  }

  /** One byte string made of `parts`, which are not copied; null is absent. */
  byteString(parts: readonly Buffer[] | null): void {
    let length = 0
    for (const part of parts ?? []) length += part.length
    if (this.flexible) this.unsignedVarint(parts === null ? 0 : length + 1)
    else this.int32(parts === null ? -1 : length)
    if (parts !== null && length > 0) this.append(parts)
  }

  array<T>(values: readonly T[] | null, item: (value: T) => void): void {
    const length = values === null ? -1 : values.length
    if (this.flexible) this.unsignedVarint(length + 1)
    else this.int32(length)
    values?.forEach(item)
  }

  /** Joins whole buffers to the output; they must not change before it is sent. */
  append(parts: readonly Buffer[]): void {
    this.#close()
    for (const part of parts) {
      this.#done.push(part)
      this.#doneBytes += part.length
    }
  }

  /** Everything written, in order. The writer is of no use afterwards. */
  finish(): readonly Buffer[] {
    this.#close()
    return this.#done
  }

  #close(): void {
    if (this.#position === 0) return
    this.#done.push(this.#current.subarray(0, this.#position))
    this.#doneBytes += this.#position
    this.#current = this.#current.subarray(this.#position)
    this.#position = 0
  }

  /** Where the next `length` bytes go in `#current`, which it may replace: call it before `#current` is evaluated. */
  #reserve(length: number): number {
    if (this.#position + length > this.#current.length) {
      this.#close()
      this.#current = Buffer.allocUnsafe(Math.max(FIRST_BYTES, length, Math.min(this.#doneBytes, 65_536)))
    }
    const start = this.#position
    this.#position += length
    return start
  }
}
