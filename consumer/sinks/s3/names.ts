import { createHash } from 'node:crypto'
import { FatalError, invariant } from '../../../lib/errors.ts'
import type { OffsetKey } from '../offset-key.ts'

/** All paths are relative to the sink's location. */

/** Below a table's folder: what we keep beside its objects. Readers pass over names that begin with an underscore. */
const OWN = '_bronze/'
const TABLE_NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/

/** No part may be the folder that we keep in each table. */
export const isTableName = (table: string): boolean =>
  TABLE_NAME.test(table) && !table.split('.').includes(OWN.slice(0, -1))

/** Whether a path is of what we keep in a table beside its objects. */
export const isOwnPath = (path: string): boolean => `/${path}`.includes(`/${OWN}`)

/** Table `a.b` lies at `a/b/`. */
export function tableFolder(table: string): string {
  if (!isTableName(table))
    throw new FatalError(
      'InvalidTableName',
      `${table} cannot be the name of a folder. Change it in spec.topics[].table.`
    )
  return `${table.replaceAll('.', '/')}/`
}

/** What the table is, one object per change: the newest lists first. */
export const tableObjects = (table: string): string => `${tableFolder(table)}${OWN}table/`
export const tableObjectPath = (table: string, number: number): string =>
  `${tableObjects(table)}${inverted(number)}-${number}.json`

/** The number in a path of `tableObjectPath`; undefined for other paths. */
export function tableObjectNumber(path: string): number | undefined {
  const [, number] = /\/_bronze\/table\/\d{16}-(0|[1-9]\d{0,15})\.json$/.exec(path) ?? []
  return number === undefined ? undefined : Number(number)
}

/** Of all commits. Below lie folders of topics, in these of incarnations, and in these of partitions, where the commit objects are. */
export const commitsFolder = (table: string): string => `${tableFolder(table)}${OWN}commits/`
export const topicFolder = (table: string, topic: string): string => `${commitsFolder(table)}${pathSegment(topic)}/`

/**
 * The commit that moves a key on from `expected`: whoever creates it has made that commit. No time and no end of a batch is in the
 * name, so that every attempt to go on from there, by anyone, meets here. The newest lists first.
 */
export function commitPath(table: string, key: OffsetKey, expected: number | undefined): string {
  const folder = `${topicFolder(table, key.topic)}${incarnation(key)}/${key.partition}/`
  return `${folder}${inverted(expected === undefined ? 0 : expected + 1)}-${expected ?? 'none'}.json`
}

export const isCommitPath = (path: string): boolean => /\/\d{16}-(?:none|\d{1,16})\.json$/.test(path)

/** Where an object waits until its commit is made. The suffix keeps it from readers that look for a format's own at any depth. */
export const stagedPath = (table: string, id: string): string => `${stagedFolder(table)}${pathSegment(id)}.staged`
export const stagedFolder = (table: string): string => `${tableFolder(table)}${OWN}staged/`

/** The name, without suffix, of an object of a commit: a function of the key and what the commit expects alone. */
export const objectName = (key: OffsetKey, expected: number | undefined): string =>
  `${pathSegment(key.topic)}+${key.partition}+${expected === undefined ? 'none' : sixteenDigits(expected)}+${digest(key)}`

/**
 * A text as one segment of a path: characters that are not safe everywhere are escaped as in URLs. So are `_` and a dot at the
 * beginning, since readers pass over such names.
 */
export function pathSegment(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/^[_.]|[!'()*~]/g, escapedCharacter)
}

const escapedCharacter = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** A path of segments, none of which leads out of its folder. */
export const isSafePath = (path: string): boolean =>
  path.length <= 1024 && path.split('/').every(segment => segment !== '' && segment !== '.' && segment !== '..')

/** `<topic id>[.<epoch>]`: ids have no dots. */
const incarnation = ({ topicId, epoch }: OffsetKey): string =>
  `${topicId === '' ? 'no-id' : pathSegment(topicId).replaceAll('.', '%2E')}${epoch > 0 ? `.${epoch}` : ''}`

/** Keeps incarnations of a topic apart, whose offsets are the same. */
const digest = ({ topicId, epoch }: OffsetKey): string =>
  createHash('sha256').update(`${topicId}:${epoch}`).digest('hex').slice(0, 8)

const inverted = (number: number): string => sixteenDigits(Number.MAX_SAFE_INTEGER - number)

function sixteenDigits(number: number): string {
  invariant(Number.isSafeInteger(number) && number >= 0, 'offsets are whole numbers')
  return String(number).padStart(16, '0')
}
