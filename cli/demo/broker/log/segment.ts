import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs'

/** Where a batch lies in its segment, and what finding and filtering need of its header. */
export interface BatchEntry {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly leaderEpoch: number
  readonly position: number
  readonly sizeBytes: number
}

/** A run of batches of one partition: the unit in which a log grows, and is dropped at its old end. */
export interface Segment {
  readonly baseOffset: number
  readonly batches: BatchEntry[]
  sizeBytes: number
  hasRoomFor(sizeBytes: number): boolean
  append(bytes: Buffer): void
  read(position: number, length: number): Buffer
  truncate(sizeBytes: number): void
  close(): void
  /** Closes it and gives its place back. */
  drop(): void
}

const FIRST_MEMORY_BYTES = 64 * 1024
const MEMORY_BYTES = 1024 * 1024
const FILE_BYTES = 16 * 1024 * 1024

/** `previousBytes` is the size of the segment before it: small partitions stay small. */
export function memorySegment(baseOffset: number, previousBytes: number, neededBytes: number): Segment {
  const capacity = Math.max(neededBytes, Math.min(MEMORY_BYTES, Math.max(FIRST_MEMORY_BYTES, previousBytes * 2)))
  const slab = Buffer.allocUnsafeSlow(capacity)
  let isSealed = false
  return {
    baseOffset,
    batches: [],
    sizeBytes: 0,
    hasRoomFor(sizeBytes) {
      return !isSealed && this.sizeBytes + sizeBytes <= capacity
    },
    append(bytes) {
      bytes.copy(slab, this.sizeBytes)
      this.sizeBytes += bytes.length
    },
    read: (position, length) => slab.subarray(position, position + length),
    truncate(sizeBytes) {
      this.sizeBytes = sizeBytes
      isSealed = true // a slice of what was cut off may still be on its way to a client
    },
    close: () => {},
    drop: () => {}
  }
}

/** One file; a batch never spans two. */
export function fileSegment(path: string, baseOffset: number, sizeBytes: number): Segment {
  const file = openSync(path, sizeBytes === 0 ? 'w+' : 'r+')
  return {
    baseOffset,
    batches: [],
    sizeBytes,
    hasRoomFor(more) {
      return this.sizeBytes === 0 || this.sizeBytes + more <= FILE_BYTES
    },
    append(bytes) {
      let written = 0
      while (written < bytes.length)
        written += writeSync(file, bytes, written, bytes.length - written, this.sizeBytes + written)
      this.sizeBytes += bytes.length
    },
    read(position, length) {
      const bytes = Buffer.allocUnsafe(length)
      const got = readSync(file, bytes, 0, length, position)
      return bytes.subarray(0, got)
    },
    truncate(bytes) {
      ftruncateSync(file, bytes)
      this.sizeBytes = bytes
    },
    close: () => closeSync(file),
    drop: () => {
      closeSync(file)
      rmSync(path, { force: true })
    }
  }
}
