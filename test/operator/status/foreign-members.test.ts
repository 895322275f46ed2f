import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupView, podsOf } from '../../../operator/source/group-view.ts'
import { plan } from '../../../operator/plan.ts'
import { aLag, conditionOf, IMAGE, inPeace, NOW } from '../given.ts'

const view = (...names: string[]) => {
  const members = names.map(clientId => ({ clientId, clientHost: '/10.0.0.7' }))
  return groupView({ state: 'Stable', members }, podsOf('shop'))
}

const planned = (group: ReturnType<typeof view> | undefined) =>
  plan({ ...inPeace(), source: { lag: aLag(), group, trouble: undefined } }, IMAGE, NOW)

test('another program in the group is named in a condition and an event, and Ready stays', () => {
  const told = planned(view('shop-consumer-7c9f8d5b4-x2v9q', 'kafka-ui'))
  assert.equal(conditionOf(told, 'ForeignMembers'), 'True ForeignMember')
  assert.equal(conditionOf(told, 'Ready'), 'True Ready')
  const message = told.status.conditions?.find(({ type }) => type === 'ForeignMembers')?.message ?? ''
  assert.match(message, /^kafka-ui at 10\.0\.0\.7: in the group bronze\.lake\.shop .* another group$/)
  assert.ok(told.notes.some(({ type, reason }) => type === 'Warning' && reason === 'ForeignMember'))
})

test('of many programs the first three are named', () => {
  const told = planned(view('e', 'd', 'c', 'b', 'a'))
  const message = told.status.conditions?.find(({ type }) => type === 'ForeignMembers')?.message ?? ''
  assert.match(message, /^a at 10\.0\.0\.7, b at 10\.0\.0\.7, c at 10\.0\.0\.7 and 2 more:/)
})

for (const [name, group] of [
  ['own consumers', view('shop-consumer-7c9f8d5b4-x2v9q')],
  ['nobody', view()],
  ['a group that could not be asked about', undefined]
] as const) {
  test(`there is no such condition for ${name}`, () => {
    assert.equal(conditionOf(planned(group), 'ForeignMembers'), 'absent')
  })
}
