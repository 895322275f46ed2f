import { isUtf8 } from '../decode/utf8.ts'
import type { Leaf } from '../parquet/leaves.ts'
import { hasHalfCharacter } from './half-characters.ts'
import { writeBase64, writeText, writeUuid } from './json-text.ts'
import { LeafCursor } from './leaf-cursor.ts'
import type { OpenPage } from './open-page.ts'
import type { Output } from './output.ts'

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const ESCAPE = Buffer.from('\\u')

/** Values of differing length, each after its length in four bytes. */
abstract class BytesCursor extends LeafCursor {
  protected bytes: Buffer = Buffer.alloc(0)
  #at = 0

  protected override open({ bytes, start }: OpenPage): void {
    this.bytes = bytes
    this.#at = start
  }

  protected override value(out: Output): void {
    const { bytes } = this
    const at = this.#at
    const length =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    const end = at + 4 + length
    this.#at = end
    this.piece(out, at + 4, end)
  }

  protected abstract piece(out: Output, start: number, end: number): void
}

export class TextCursor extends BytesCursor {
  protected override piece(out: Output, start: number, end: number): void {
    writeText(out, this.bytes, start, end)
  }
}

export class BinaryCursor extends BytesCursor {
  protected override piece(out: Output, start: number, end: number): void {
    writeBase64(out, this.bytes, start, end)
  }
}

const BASE64 = Buffer.from('{"base64":')

/** Values of Kafka headers: mostly text. */
export class HeaderValueCursor extends BytesCursor {
  protected override piece(out: Output, start: number, end: number): void {
    const { bytes } = this
    if (isUtf8(bytes, start, end)) {
      writeText(out, bytes, start, end)
      return
    }
    out.append(BASE64)
    writeBase64(out, bytes, start, end)
    out.byte(0x7d)
  }
}

/**
 * Text that is JSON, as it is but for its line breaks, which are space between its parts: a string cannot hold any. With an escaped
 * half of a character in it, it is a string: many readers refuse a file for one, explicit types or not.
 */
export class JsonCursor extends BytesCursor {
  /** Where the page has the next of each, at or after where it was looked for last. */
  #lineFeed = -1
  #carriageReturn = -1
  #escape = -1

  protected override open(page: OpenPage): void {
    super.open(page)
    this.#lineFeed = -1
    this.#carriageReturn = -1
    this.#escape = -1
  }

  protected override piece(out: Output, start: number, end: number): void {
    const { bytes } = this
    if (this.#escape < start) this.#escape = found(bytes, ESCAPE, start)
    if (this.#escape < end && hasHalfCharacter(bytes, this.#escape, end)) {
      writeText(out, bytes, start, end)
      return
    }
    if (this.#lineFeed < start) this.#lineFeed = found(bytes, LINE_FEED, start)
    if (this.#carriageReturn < start) this.#carriageReturn = found(bytes, CARRIAGE_RETURN, start)
    if (this.#lineFeed >= end && this.#carriageReturn >= end) {
      out.copy(bytes, start, end)
      return
    }
    out.reserve(end - start)
    const { bytes: target } = out
    let at = out.length
    for (let from = start; from < end; from++) {
      const byte = bytes[from] as number
      target[at++] = byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte
    }
    out.length = at
  }
}

function found(bytes: Buffer, byte: number | Buffer, from: number): number {
  const at = bytes.indexOf(byte, from)
  return at < 0 ? bytes.length : at
}

/** Values of one length. */
export class FixedCursor extends LeafCursor {
  readonly #width: number
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(leaf: Leaf, pages: Iterator<OpenPage>, width: number) {
    super(leaf, pages)
    this.#width = width
  }

  protected override open({ bytes, start }: OpenPage): void {
    this.#bytes = bytes
    this.#at = start
  }

  protected override value(out: Output): void {
    const start = this.#at
    this.#at += this.#width
    if (this.leaf.type === 'uuid') writeUuid(out, this.#bytes, start)
    else writeBase64(out, this.#bytes, start, this.#at)
  }
}
