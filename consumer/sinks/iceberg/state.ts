import { Malformed, asId, asInteger, asList, asObject, asText } from './checked.ts'
import { formatCounts, parseCounts, type TopicCounts } from './counts.ts'
import { parseJson, stringifyJson } from '../json.ts'
import { parseKey, type OffsetKey } from '../offset-key.ts'
import { parseNewManifest, type NewManifest } from './manifest-list.ts'

/** What a table remembers for us. Every snapshot of ours carries it whole, so that any of them can be the table's end. */
export interface TableState {
  /** Next offsets by formatted key. */
  readonly offsets: ReadonlyMap<string, number>
  /**
   * Of a dead-letter table: the sequence number of the newest snapshot of a main table whose dead letters of a key are in
   * (see `markerKey`).
   */
  readonly markers: ReadonlyMap<string, number>
  /** Dead letters that this table's commits decided, in the order of their commits; some may be in their table already. */
  readonly deadLetters: readonly PendingDeadLetters[]
  /**
   * What commits have put in, by topic, all that ever were: snapshots that are thinned out take nothing with them. Nothing
   * is decided by it; commits of older versions do not have it.
   */
  readonly counts: ReadonlyMap<string, TopicCounts>
}

/** Files of dead letters that a commit of the main table decided; to be published once. */
export interface PendingDeadLetters {
  /** Of the main table's snapshot that decided them. */
  readonly sequenceNumber: number
  readonly commitIds: readonly string[]
  /** Formatted keys whose records they are. */
  readonly keys: readonly string[]
  /** The dead-letter table, with its namespace, and its UUID: a new table of the name has other files. */
  readonly table: string
  readonly tableUuid: string
  readonly manifests: readonly NewManifest[]
}

export const EMPTY_STATE: TableState = { offsets: new Map(), markers: new Map(), deadLetters: [], counts: new Map() }

/** Names in a snapshot's summary. A snapshot is ours when it has the first. */
const OFFSETS = 'bronze.offsets'
const MARKERS = 'bronze.markers'
const DEAD_LETTERS = 'bronze.dead-letters'
const COUNTS = 'bronze.counts'
/** Table property: the state once more, for when the snapshots that carry it have expired. */
export const STATE_PROPERTY = 'bronze.state'

/** Key of a marker: what a main table decided for an offset's key. */
export const markerKey = (mainUuid: string, key: string): string => `${mainUuid}/${key}`

export const hasState = (summary: Readonly<Record<string, string>>): boolean => summary[OFFSETS] !== undefined

/** Its part of a snapshot's summary. */
export function formatState({ offsets, markers, deadLetters, counts }: TableState): Readonly<Record<string, string>> {
  return {
    [OFFSETS]: formatNumbers(offsets),
    ...(markers.size === 0 ? {} : { [MARKERS]: formatNumbers(markers) }),
    ...(deadLetters.length === 0 ? {} : { [DEAD_LETTERS]: stringifyJson(deadLetters) }),
    ...(counts.size === 0 ? {} : { [COUNTS]: formatCounts(counts) })
  }
}

/** The reverse. Throws Malformed. */
export function parseState(summary: Readonly<Record<string, string>>): TableState {
  return {
    offsets: parseNumbers(summary[OFFSETS] ?? ''),
    markers: parseNumbers(summary[MARKERS] ?? ''),
    deadLetters: asList(parsed(summary[DEAD_LETTERS] ?? '[]'), DEAD_LETTERS).map(parsePending),
    counts: parseCounts(summary[COUNTS] ?? '')
  }
}

/** Where a state was committed. */
export interface StateAt {
  readonly tableUuid: string
  readonly snapshotId: bigint
  readonly sequenceNumber: number
  readonly ref: string
}

export function formatProperty(state: TableState, at: StateAt): string {
  // The id as text: not every reader of properties keeps 64 bits.
  return stringifyJson({ ...at, snapshotId: String(at.snapshotId), ...formatState(state) })
}

/** Throws Malformed. */
export function parseProperty(text: string): { readonly state: TableState; readonly at: StateAt } {
  const json = asObject(parsed(text), STATE_PROPERTY)
  const id = asText(json['snapshotId'], 'snapshotId')
  if (!/^\d{1,19}$/.test(id)) throw new Malformed('snapshotId is no 64-bit integer')
  const summary = Object.fromEntries(
    [OFFSETS, MARKERS, DEAD_LETTERS, COUNTS].flatMap(name =>
      json[name] === undefined ? [] : [[name, asText(json[name], name)]]
    )
  ) as Record<string, string>
  return {
    state: parseState(summary),
    at: {
      tableUuid: asText(json['tableUuid'], 'tableUuid'),
      snapshotId: asId(BigInt(id), 'snapshotId'),
      sequenceNumber: asInteger(json['sequenceNumber'], 'sequenceNumber'),
      ref: asText(json['ref'], 'ref')
    }
  }
}

/** Absent partitions between two that are written out, rather than begun anew. */
const MAX_GAP = 8

/**
 * Numbers of many partitions in few bytes that people can read: `orders:<topic id>:0:0=120,7,,64` has those of partitions
 * 0, 1 and 3 of epoch 0. Groups are joined by semicolons.
 */
function formatNumbers(numbers: ReadonlyMap<string, number>): string {
  const byPrefix = new Map<string, { readonly partition: number; readonly value: number }[]>()
  for (const [key, value] of numbers) {
    const colon = key.lastIndexOf(':')
    const prefix = escaped(key.slice(0, colon))
    const group = byPrefix.get(prefix) ?? []
    if (group.length === 0) byPrefix.set(prefix, group)
    group.push({ partition: Number(key.slice(colon + 1)), value })
  }
  return [...byPrefix].flatMap(([prefix, group]) => formatGroup(prefix, group)).join(';')
}

function formatGroup(prefix: string, group: { readonly partition: number; readonly value: number }[]): string[] {
  const runs: string[] = []
  let last = -Infinity
  for (const { partition, value } of group.sort((a, b) => a.partition - b.partition)) {
    const gap = partition - last - 1
    if (gap > MAX_GAP) runs.push(`${prefix}:${partition}=${value}`)
    else runs[runs.length - 1] += `${','.repeat(gap + 1)}${value}`
    last = partition
  }
  return runs
}

function parseNumbers(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const group of text === '' ? [] : text.split(';')) {
    const [, prefix, first, values = ''] = /^([^=]+):(\d{1,10})=([\d,]*)$/.exec(group) ?? []
    if (prefix === undefined) throw new Malformed(`${JSON.stringify(group.slice(0, 100))} is no group of offsets`)
    const key = unescaped(prefix)
    for (const [index, value] of values.split(',').entries()) {
      if (value === '') continue
      const formatted = `${key}:${Number(first) + index}`
      const number = Number(value)
      if (!Number.isSafeInteger(number) || keyOf(formatted) === undefined)
        throw new Malformed(`${JSON.stringify(formatted.slice(0, 300))} is no key of an offset, or has none`)
      numbers.set(formatted, number)
    }
  }
  return numbers
}

/** The key of an offset, or that in the key of a marker. */
export const keyOf = (key: string): OffsetKey | undefined => parseKey(key.slice(key.indexOf('/') + 1))

/** No Kafka name has these characters; whatever has them still survives. */
const escaped = (text: string): string => text.replaceAll(/[%;=,]/g, encodeURIComponent)

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Malformed('a key of offsets is not escaped')
  }
}

function parsePending(value: unknown): PendingDeadLetters {
  const json = asObject(value, DEAD_LETTERS)
  const texts = (name: string) => asList(json[name], name).map(each => asText(each, name))
  return {
    sequenceNumber: asInteger(json['sequenceNumber'], 'sequenceNumber'),
    commitIds: texts('commitIds'),
    keys: texts('keys'),
    table: asText(json['table'], 'table'),
    tableUuid: asText(json['tableUuid'], 'tableUuid'),
    manifests: asList(json['manifests'], 'manifests').map(parseNewManifest)
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    throw new Malformed('it is no JSON')
  }
}
