/**
 * Tar archives (POSIX.1-1988 "ustar") whose bytes depend on nothing but their entries: no time, no owner's name, entries
 * sorted by path. Read are also GNU's long names and pax paths, which Debian's packages and npm's tarballs may hold.
 */
export interface Entry {
  /** Relative, `/` between names, neither `./` in front nor `/` behind. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  /** Permission bits. */
  readonly mode: number
  readonly bytes: Buffer
  /** Where a link points, as it is written. */
  readonly target: string
}

const BLOCK_BYTES = 512
const NAME_BYTES = 100
const PREFIX_BYTES = 155
const KINDS = { file: '0', link: '2', folder: '5' } as const

export const file = (path: string, bytes: Buffer | string, mode = 0o644): Entry => ({
  path,
  kind: 'file',
  mode,
  bytes: Buffer.from(bytes),
  target: ''
})
export const folder = (path: string, mode = 0o755): Entry => ({
  path,
  kind: 'folder',
  mode,
  bytes: Buffer.alloc(0),
  target: ''
})
export const link = (path: string, target: string): Entry => ({
  path,
  kind: 'link',
  mode: 0o777,
  bytes: Buffer.alloc(0),
  target
})

/** All belongs to root. Folders that lead to an entry are added. */
export function writeTar(entries: readonly Entry[]): Buffer {
  const byPath = new Map<string, Entry>()
  for (const entry of entries) {
    if (byPath.has(entry.path)) throw new Error(`the archive would hold ${entry.path} twice`)
    byPath.set(entry.path, entry)
  }
  for (const { path } of entries) {
    for (const above of foldersAbove(path)) if (!byPath.has(above)) byPath.set(above, folder(above))
  }
  // By code unit: a folder comes before what it holds, whatever the language of the machine.
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const blocks = sorted.flatMap(entry => [headerOf(entry), entry.bytes, padding(entry.bytes.length)])
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)])
}

/** Entries in the archive's order. A hard link becomes a copy. Throws on kinds that an image's files cannot have. */
export function readTar(archive: Buffer): Entry[] {
  const entries: Entry[] = []
  let longPath: string | undefined
  let longTarget: string | undefined
  for (let at = 0; at + BLOCK_BYTES <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK_BYTES)
    if (header[0] === 0) break
    const size = octal(header, 124, 12)
    const bytes = archive.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + size)
    if (bytes.length < size) throw new Error('the archive is cut short')
    at += BLOCK_BYTES + size + padding(size).length
    const type = String.fromCharCode(header[156] ?? 0)
    if (type === 'L') longPath = text(bytes, 0, size)
    else if (type === 'K') longTarget = text(bytes, 0, size)
    else if (type === 'x') longPath = paxPath(bytes) ?? longPath
    else if (type !== 'g') {
      const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(header, 345, PREFIX_BYTES) : ''
      const path = clean(longPath ?? [prefix, text(header, 0, NAME_BYTES)].filter(part => part !== '').join('/'))
      const target = longTarget ?? text(header, 157, NAME_BYTES)
      const entry = entryOf(type, { path, mode: octal(header, 100, 8) & 0o7777, bytes, target }, entries)
      if (entry.path !== '') entries.push(entry)
      longPath = longTarget = undefined
    }
  }
  return entries
}

function entryOf(type: string, read: Omit<Entry, 'kind'>, before: readonly Entry[]): Entry {
  switch (type) {
    case '0':
    case '\0':
      return { ...read, kind: 'file', target: '' }
    case '1': {
      const original = before.find(({ path }) => path === clean(read.target))
      if (original === undefined) throw new Error(`${read.path} is a hard link to what the archive lacks`)
      return { ...original, path: read.path }
    }
    case '2':
      return { ...read, kind: 'link' }
    case '5':
      return { ...read, kind: 'folder', target: '' }
    default:
      throw new Error(`${read.path} has the type ${JSON.stringify(type)}, which an image does not need`)
  }
}

function headerOf({ path, kind, mode, bytes, target }: Entry): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES)
  const [prefix, name] = splitPath(kind === 'folder' ? `${path}/` : path)
  if (Buffer.byteLength(target) > NAME_BYTES) throw new Error(`the target of ${path} is too long for a tar header`)
  header.write(name, 0)
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write(KINDS[kind], 156)
  header.write(target, 157)
  header.write('ustar\u000000', 257)
  header.write('0000000\0', 329)
  header.write('0000000\0', 337)
  header.write(prefix, 345)
  // The checksum counts its own field as spaces.
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ['', path]
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)]
    if (Buffer.byteLength(prefix) > PREFIX_BYTES) break
    if (name !== '' && Buffer.byteLength(name) <= NAME_BYTES) return [prefix, name]
  }
  throw new Error(`${path} is too long for a tar header`)
}

function foldersAbove(path: string): string[] {
  const names = path.split('/').slice(0, -1)
  return names.map((_, index) => names.slice(0, index + 1).join('/'))
}

/** Of the records `length key=value\n` of a pax header, the path. */
function paxPath(bytes: Buffer): string | undefined {
  for (let at = 0; at < bytes.length;) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 20), 10)
    if (!(length > 0)) throw new Error('a pax header of the archive is broken')
    const [, key, value] = /^\d+ ([^=]+)=(.*)\n$/s.exec(bytes.toString('utf8', at, at + length)) ?? []
    if (key === 'path') return value
    at += length
  }
  return undefined
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
const octal = (header: Buffer, at: number, length: number): number =>
  Number.parseInt(text(header, at, length).trim() || '0', 8)
const clean = (path: string): string => path.replace(/^(?:\.?\/)+/, '').replace(/\/+$|^\.$/, '')

function text(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? field.length : end)
}
