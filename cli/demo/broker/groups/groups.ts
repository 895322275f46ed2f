import { ERROR } from '../wire/error-codes.ts'
import { Group } from './group.ts'
import type { Offsets } from './offsets.ts'

/** All groups of the broker: their members, and what they have committed. */
export class Groups {
  readonly offsets: Offsets
  #groups = new Map<string, Group>()

  constructor(offsets: Offsets) {
    this.offsets = offsets
    for (const groupId of offsets.groupIds()) this.open(groupId)
  }

  all(): Iterable<readonly [groupId: string, group: Group]> {
    return this.#groups
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  /** The group, made when it is new. */
  open(groupId: string): Group {
    const known = this.#groups.get(groupId)
    if (known) return known
    const group = new Group()
    this.#groups.set(groupId, group)
    return group
  }

  /** Returns an error code. */
  delete(groupId: string): number {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ERROR.GROUP_ID_NOT_FOUND
    if (group.members.size > 0) return ERROR.NON_EMPTY_GROUP
    group.close()
    this.#groups.delete(groupId)
    this.offsets.deleteGroup(groupId)
    return ERROR.NONE
  }

  close(): void {
    for (const group of this.#groups.values()) group.close()
  }
}
