import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupView, podsOf } from '../../../operator/source/group-view.ts'
import { consumerName } from '../../../operator/objects/names.ts'

const member = (clientId: string, clientHost = '/10.0.0.7') => ({ clientId, clientHost })

for (const [clientId, isOwn] of [
  ['shop-consumer-7c9f8d5b4-x2v9q', true],
  ['shop-consumer-3', true],
  ['shop-consumer-7c9f8d5b4', false],
  ['shop-consumer', false],
  ['shop-consumer-', false],
  ['shop-consumer-eu-consumer-7c9f8d5b4-x2v9q', false],
  ['other-consumer-7c9f8d5b4-x2v9q', false],
  ['kafka-ui', false],
  ['', false]
] as const) {
  test(`a member called "${clientId}" is ${isOwn ? 'a pod of' : 'foreign to'} the pipeline shop`, () => {
    assert.equal(podsOf('shop')(clientId), isOwn)
  })
}

test('pods of pipelines with long names are known by what the cluster leaves of them', () => {
  for (let length = 30; length <= 63; length++) {
    const pipeline = 'p'.repeat(length)
    for (const hash of ['7c9f8d5b4', '6f7c9f8d5b', '5b4']) {
      const pod = `${`${consumerName(pipeline)}-${hash}-`.slice(0, 58)}x2v9q`
      assert.ok(podsOf(pipeline)(pod), `${length}: ${pod}`)
      assert.ok(!podsOf('shop')(pod))
    }
  }
})

test('a group is told by state, members, and the first of those that are not ours', () => {
  const own = Array.from({ length: 4 }, (_, index) => member(`shop-consumer-${index}`))
  const others = ['e', 'd', 'c', 'b', 'a'].map(name => member(name))
  assert.deepEqual(groupView({ state: 'Stable', members: [...others, ...own] }, podsOf('shop')), {
    state: 'Stable',
    members: 9,
    foreignMembers: 5,
    foreign: ['a', 'b', 'c'].map(clientId => ({ clientId, host: '10.0.0.7' }))
  })
})

for (const [told, state] of [
  ['Empty', 'Empty'],
  ['Dead', 'Dead'],
  ['PreparingRebalance', 'PreparingRebalance'],
  ['Assigning', 'PreparingRebalance'],
  ['Reconciling', 'CompletingRebalance'],
  ['', 'Unknown'],
  ['NotReady', 'Unknown']
] as const) {
  test(`the state "${told}" is shown as ${state}`, () => {
    assert.equal(groupView({ state: told, members: [] }, podsOf('shop')).state, state)
  })
}
