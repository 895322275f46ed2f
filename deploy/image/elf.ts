/** What the image needs to know of a program: for which machine it is, what it is linked to, where its symbols begin. */
export interface Program {
  readonly machine: 'amd64' | 'arm64'
  /** The loader's path, of a program. */
  readonly interpreter: string | undefined
  /** Names of the libraries it is linked to. */
  readonly needed: readonly string[]
}

const MACHINES: Readonly<Record<number, Program['machine']>> = { 0x3e: 'amd64', 0xb7: 'arm64' }
const LOAD = 1
const DYNAMIC = 2
const INTERPRETER = 3
const NEEDED = 1n
const STRING_TABLE = 5n

interface Segment {
  readonly type: number
  readonly at: number
  readonly address: number
  readonly size: number
}

export const isElf = (bytes: Buffer): boolean => bytes.toString('latin1', 0, 4) === '\x7fELF'

/** Of a 64-bit little-endian ELF file. */
export function readProgram(bytes: Buffer): Program {
  const machine = MACHINES[bytes.readUInt16LE(18)]
  if (!isElf(bytes) || bytes[4] !== 2 || machine === undefined)
    throw new Error('not a 64-bit program of a known machine')
  const segments = segmentsOf(bytes)
  const interpreter = segments.find(({ type }) => type === INTERPRETER)
  const dynamic = segments.find(({ type }) => type === DYNAMIC)
  const entries: [tag: bigint, value: bigint][] = []
  for (let at = dynamic?.at ?? 0, end = at + (dynamic?.size ?? 0); at < end; at += 16)
    entries.push([bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8)])
  const strings = Number(entries.find(([tag]) => tag === STRING_TABLE)?.[1] ?? 0n)
  return {
    machine,
    interpreter: interpreter && stringAt(bytes, interpreter.at),
    needed: entries
      .filter(([tag]) => tag === NEEDED)
      .map(([, offset]) => stringAt(bytes, fileOffset(segments, strings) + Number(offset)))
  }
}

/**
 * The program without symbols and debugging information, which linkers put behind all that is loaded: the same for each
 * machine, and without a tool of that machine. The header then names no sections; none is needed to run.
 */
export function withoutSymbols(bytes: Buffer): Buffer {
  const loaded = segmentsOf(bytes).filter(({ type }) => type === LOAD)
  const end = Math.max(...loaded.map(({ at, size }) => at + size))
  const stripped = Buffer.from(bytes.subarray(0, end))
  stripped.writeBigUInt64LE(0n, 0x28)
  stripped.writeUInt16LE(0, 0x3c)
  stripped.writeUInt16LE(0, 0x3e)
  return stripped
}

function segmentsOf(bytes: Buffer): Segment[] {
  const [table, size, count] = [Number(bytes.readBigUInt64LE(0x20)), bytes.readUInt16LE(0x36), bytes.readUInt16LE(0x38)]
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size
    return {
      type: bytes.readUInt32LE(at),
      at: Number(bytes.readBigUInt64LE(at + 8)),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      size: Number(bytes.readBigUInt64LE(at + 32))
    }
  })
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const holder = segments.find(
    ({ type, address: start, size }) => type === LOAD && address >= start && address < start + size
  )
  if (holder === undefined) throw new Error('the program names a string table that it does not load')
  return address - holder.address + holder.at
}

const stringAt = (bytes: Buffer, at: number): string => bytes.toString('utf8', at, bytes.indexOf(0, at))
