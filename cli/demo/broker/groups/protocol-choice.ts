import type { Member, Protocol } from './member.ts'

const offers = (member: Member, name: string): boolean => member.protocols.some(one => one.name === name)

/** Whether one of `protocols` is offered by all of `members`. */
export const hasCommon = (members: readonly Member[], protocols: readonly Protocol[]): boolean =>
  protocols.some(({ name }) => members.every(member => offers(member, name)))

/** Each member votes for the first of its protocols that all offer; null when there is none. */
export function selectProtocol(members: readonly Member[]): string | null {
  const votes = new Map<string, number>()
  for (const member of members) {
    const vote = member.protocols.find(({ name }) => members.every(other => offers(other, name)))
    if (vote) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}
