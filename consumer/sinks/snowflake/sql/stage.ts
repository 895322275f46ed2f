import { invariant } from '../../../../lib/errors.ts'
import { literal } from './identifier.ts'
import type { TableObjects } from './objects.ts'
import type { Row, Statement } from '../session/session.ts'

/** The stage's files: rows with name, size, md5 and last_modified. */
export const listStage = ({ stageRef }: TableObjects): Statement => ({
  text: `LIST ${literal(stageRef)}`,
  binds: []
})

/** Files that no commit will name any more, by their names in the stage: those last written before `beforeMs`. */
export function orphans(rows: readonly Row[], beforeMs: number): readonly string[] {
  return rows.flatMap(row => {
    // A listed name begins with the stage's own; ours have no slash.
    const name = row['name']?.split('/').at(-1) ?? ''
    const writtenMs = Date.parse(row['last_modified'] ?? '')
    return FILE.test(name) && writtenMs < beforeMs ? [name] : []
  })
}

export function removeFile({ stageRef }: TableObjects, name: string): Statement {
  return { text: `REMOVE ${literal(`${stageRef}/${plainName(name)}`)}`, binds: [] }
}

/** Names of files in a stage are ours, and go into statements as they are. */
export function plainName(name: string): string {
  invariant(FILE.test(name), 'files in the stage have plain names')
  return name
}

const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/
