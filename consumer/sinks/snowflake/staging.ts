import { once } from 'node:events'
import { constants, createZstdCompress } from 'node:zlib'
import type { Gate } from '../../../lib/gate.ts'
import { DEAD_LETTER_SCHEMA } from '../../columns/bronze.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { Field } from '../../columns/schema.ts'
import { ndjsonChunks } from '../../ndjson/encode.ts'
import type { StageFile } from './session/session.ts'
import { isMaybeText } from './sql/table.ts'

/** What `stage` leaves for `commit`: plain JSON. */
export interface StagedFiles {
  readonly rows: StagedRows
  readonly deadLetters: StagedRows
  /** The fields that the rows have beyond those of their plan. */
  readonly fields: readonly Field[]
}

export type StagedRows =
  | { readonly kind: 'inline'; readonly rows: number; readonly lines: readonly string[] }
  | { readonly kind: 'files'; readonly rows: number; readonly names: readonly string[] }

export interface StagingLimits {
  /** NDJSON up to this many bytes goes with the statements themselves: an upload would take longer. */
  readonly inlineBytes: number
  /** Of a file in the stage, compressed. Uploading takes a few times this much memory. */
  readonly fileBytes: number
}

const ZSTD_LEVEL = 1
/** Buffers up to this do not wait for those that are larger. */
const SMALL_BYTES = 256 << 10

/**
 * The rows of groups as lines, or as files of the stage that `upload` takes there. Files are named after `prefix`. What is not small
 * waits for its turn: pages that are opened and files in the making take memory beside the buffers.
 */
export async function stageRows(
  groups: readonly RowGroupBuffer[],
  prefix: string,
  limits: StagingLimits,
  upload: (file: StageFile) => Promise<void>,
  uploads: Gate
): Promise<StagedRows> {
  const bytes = groups.reduce((sum, group) => sum + group.bytes, 0)
  const make = async () => await linesOrFiles(groups, prefix, limits, upload)
  return bytes <= SMALL_BYTES ? await make() : await uploads.run(make)
}

async function linesOrFiles(
  groups: readonly RowGroupBuffer[],
  prefix: string,
  { inlineBytes, fileBytes }: StagingLimits,
  upload: (file: StageFile) => Promise<void>
): Promise<StagedRows> {
  const rows = groups.reduce((sum, group) => sum + group.rows, 0)
  const chunks = linesOf(groups)
  const first: Buffer[] = []
  let bytes = 0
  for (let next = chunks.next(); !next.done && bytes <= inlineBytes;) {
    first.push(next.value)
    bytes += next.value.length
    if (bytes <= inlineBytes) next = chunks.next()
  }
  if (bytes <= inlineBytes) return { kind: 'inline', rows, lines: first.map(String) }
  return { kind: 'files', rows, names: await uploadAll(first.splice(0), chunks, prefix, fileBytes, upload) }
}

/** Gives the files' names. */
async function uploadAll(
  first: readonly Buffer[],
  more: Iterable<Buffer>,
  prefix: string,
  fileBytes: number,
  upload: (file: StageFile) => Promise<void>
): Promise<readonly string[]> {
  const names: string[] = []
  let file = new ZstdFile()
  const send = async () => {
    const name = `${prefix}-${names.length}.ndjson.zst`
    await upload({ name, bytes: await file.end(), compression: 'ZSTD' })
    names.push(name)
    file = new ZstdFile()
  }
  for (const lines of first) await file.write(lines)
  for (const lines of more) {
    if (file.bytes >= fileBytes) await send()
    await file.write(lines)
  }
  await send()
  return names
}

/** Bytes of NDJSON that are held inline. */
export const inlineBytesOf = (staged: StagedRows): number =>
  staged.kind === 'inline' ? staged.lines.reduce((sum, lines) => sum + Buffer.byteLength(lines), 0) : 0

function* linesOf(groups: readonly RowGroupBuffer[]): Generator<Buffer, undefined> {
  for (const group of groups) {
    const options = group.schema === DEAD_LETTER_SCHEMA ? { isMaybeText } : {}
    for (const { bytes } of ndjsonChunks(group, options)) yield bytes
  }
}

/** One file in the making. */
class ZstdFile {
  readonly #stream = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } })
  readonly #parts: Buffer[] = []
  /** Compressed bytes so far. */
  bytes = 0

  constructor() {
    this.#stream.on('data', (part: Buffer) => {
      this.#parts.push(part)
      this.bytes += part.length
    })
  }

  async write(lines: Buffer): Promise<void> {
    if (!this.#stream.write(lines)) await once(this.#stream, 'drain')
  }

  async end(): Promise<Buffer> {
    const ended = once(this.#stream, 'end')
    this.#stream.end()
    await ended
    // Held once while it is uploaded.
    return Buffer.concat(this.#parts.splice(0))
  }
}
