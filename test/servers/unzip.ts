import { inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_HEADER = 0x04034b50

/**
 * One file of a zip archive held in memory (PKWARE APPNOTE 4.3; no zip64, no encryption); undefined when it has none of
 * that name.
 */
export function unzip(archive: Buffer, name: string): Buffer | undefined {
  let end = archive.length - 22
  while (end >= 0 && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  if (end < 0) throw new Error('not a zip archive: it has no central directory')
  let entry = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(entry) !== DIRECTORY_ENTRY) throw new Error('the zip archive is damaged')
    const nameEnd = entry + 46 + archive.readUInt16LE(entry + 28)
    if (archive.toString('utf8', entry + 46, nameEnd) === name) return content(archive, entry)
    entry = nameEnd + archive.readUInt16LE(entry + 30) + archive.readUInt16LE(entry + 32)
  }
  return undefined
}

/** The sizes stand in the directory: a local header may leave them out. */
function content(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10)
  const size = archive.readUInt32LE(entry + 20)
  const local = archive.readUInt32LE(entry + 42)
  if (archive.readUInt32LE(local) !== LOCAL_HEADER) throw new Error('the zip archive is damaged')
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
  const bytes = archive.subarray(start, start + size)
  if (method === 0) return Buffer.from(bytes)
  if (method === 8) return inflateRawSync(bytes)
  throw new Error(`the zip archive uses method ${method}; only stored and deflated are read`)
}
