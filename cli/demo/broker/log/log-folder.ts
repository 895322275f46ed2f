import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BatchHeader, isIntact, readHeader } from './batch.ts'
import type { EpochStart } from './epochs.ts'
import { fileSegment, type Segment } from './segment.ts'

interface Bounds {
  readonly start: number
  readonly end: number
  readonly epochs: readonly EpochStart[]
}

export interface KeptLog extends Bounds {
  readonly segments: Segment[]
  readonly batches: Iterable<{ header: BatchHeader; bytes: Buffer }>
}

const BOUNDS_FILE = 'bounds.json'

/** The files of one partition: segments named by their first offset, and the bounds that batches do not tell. */
export class LogFolder {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
    mkdirSync(path, { recursive: true })
  }

  segment(baseOffset: number): Segment {
    return fileSegment(join(this.#path, `${String(baseOffset).padStart(20, '0')}.log`), baseOffset, 0)
  }

  save(bounds: Bounds): void {
    const path = join(this.#path, BOUNDS_FILE)
    writeFileSync(`${path}.new`, JSON.stringify(bounds))
    renameSync(`${path}.new`, path)
  }

  /** Opens what an earlier run left; the torn end of its last write is cut off. */
  load(): KeptLog {
    const files = readdirSync(this.#path).sort()
    const bounds: Bounds = files.includes(BOUNDS_FILE)
      ? (JSON.parse(readFileSync(join(this.#path, BOUNDS_FILE), 'utf8')) as Bounds)
      : { start: 0, end: 0, epochs: [{ epoch: 0, startOffset: 0 }] }
    const segments: Segment[] = []
    const batches: { header: BatchHeader; bytes: Buffer }[] = []
    for (const file of files.filter(name => name.endsWith('.log'))) {
      const { segment, found } = openSegment(join(this.#path, file), Number(file.slice(0, -'.log'.length)))
      if (segment.batches.length === 0) segment.drop()
      else segments.push(segment)
      batches.push(...found)
    }
    const last = segments.at(-1)?.batches.at(-1)
    const end = Math.max(last === undefined ? 0 : last.lastOffset + 1, bounds.end)
    return { ...bounds, end, segments, batches }
  }
}

function openSegment(path: string, baseOffset: number) {
  const bytes = readFileSync(path)
  const segment = fileSegment(path, baseOffset, bytes.length)
  const found: { header: BatchHeader; bytes: Buffer }[] = []
  let position = 0
  for (
    let header = readHeader(bytes);
    header && isIntact(bytes, header, position);
    header = readHeader(bytes, position)
  ) {
    const { baseOffset, lastOffset, maxTimestamp, leaderEpoch, sizeBytes } = header
    segment.batches.push({ baseOffset, lastOffset, maxTimestamp, leaderEpoch, sizeBytes, position })
    // Only a control batch's bytes are asked for; nothing else may keep the file in memory.
    const kept = header.isControl ? Buffer.from(bytes.subarray(position, position + sizeBytes)) : Buffer.alloc(0)
    found.push({ header, bytes: kept })
    position += sizeBytes
  }
  if (position < bytes.length) segment.truncate(position)
  return { segment, found }
}
