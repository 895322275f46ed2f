/** Most of what one value needs beyond what is asked for in pieces, so that a full chunk seldom makes the memory grow. */
const SLACK_BYTES = 32 * 1024
const FIRST_CAPACITY = 16 * 1024
/** Shorter pieces are copied byte by byte: a call into the runtime costs more. */
const SHORT = 48

/** Bytes in the making. Who writes reserves first, then sets `bytes` from `length` on, then `length`. */
export class Output {
  bytes: Buffer
  /** Of the same bytes. */
  view: DataView
  length = 0
  /** Up to here memory is doubled with little to spare. */
  readonly #usual: number

  constructor(usualBytes: number) {
    this.#usual = usualBytes + SLACK_BYTES
    this.bytes = Buffer.allocUnsafeSlow(Math.min(FIRST_CAPACITY, this.#usual))
    this.view = viewOf(this.bytes)
  }

  /** Makes room for so many bytes; `bytes` may be another buffer afterwards. */
  reserve(size: number): void {
    if (this.length + size > this.bytes.length) this.#grow(this.length + size)
  }

  append(piece: Uint8Array, length = piece.length): void {
    this.reserve(length)
    const { bytes, length: at } = this
    if (length <= SHORT) for (let index = 0; index < length; index++) bytes[at + index] = piece[index] as number
    else bytes.set(length === piece.length ? piece : piece.subarray(0, length), at)
    this.length = at + length
  }

  copy(source: Buffer, start: number, end: number): void {
    this.reserve(end - start)
    source.copy(this.bytes, this.length, start, end)
    this.length += end - start
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** For text of ASCII characters. */
  ascii(text: string): void {
    const { length } = text
    this.reserve(length)
    const { bytes, length: at } = this
    for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index)
    this.length = at + length
  }

  /** The first `size` bytes, which are the caller's from now on; what follows them comes first from now on. */
  take(size: number): Buffer {
    const { bytes, length } = this
    const rest = length - size
    this.bytes = Buffer.allocUnsafeSlow(Math.max(rest, Math.min(bytes.length, this.#usual)))
    this.view = viewOf(this.bytes)
    bytes.copy(this.bytes, 0, size, length)
    this.length = rest
    // A few bytes would keep alive far more.
    return size * 2 < bytes.length ? Buffer.from(bytes.subarray(0, size)) : bytes.subarray(0, size)
  }

  #grow(needed: number): void {
    const doubled = this.bytes.length * 2
    const capacity = Math.max(needed, this.bytes.length < this.#usual ? Math.min(doubled, this.#usual) : doubled)
    const larger = Buffer.allocUnsafeSlow(capacity)
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
    this.view = viewOf(larger)
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView => new DataView(buffer, byteOffset, byteLength)
