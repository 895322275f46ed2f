import assert from 'node:assert/strict'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { pollUntil } from '../harness.ts'
import { type Law, firstOf, numbered } from './law.ts'

export function groupLaws(law: Law): void {
  law('a second member takes half; what is kept is not touched and keeps flowing', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 4)
    const first = await open({ instanceId: 'one' })
    await pollUntil([first], () => first.assigned.size === 4, 'all partitions')
    for (let partition = 0; partition < 4; partition++) await cluster.produce(topic, partition, numbered(5))
    await pollUntil([first], () => first.records.length === 20, 'first records')
    const second = await open({ instanceId: 'two' })
    second.start = () => 5
    await pollUntil([first, second], () => first.assigned.size === 2 && second.assigned.size === 2, 'two each')
    assert.equal(first.changes.filter(change => change.startsWith('+')).length, 4, 'nothing was assigned again')
    for (let partition = 0; partition < 4; partition++) await cluster.produce(topic, partition, numbered(5))
    await pollUntil([first, second], () => first.records.length === 30 && second.records.length === 10, 'later records')
    for (const id of first.assigned.keys()) assert.deepEqual(first.offsets(id), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await second.source.close({ leave: true })
    await pollUntil([first], () => first.assigned.size === 4, 'everything back at once')
    assert.ok(first.source.isMember())
  })

  law(
    'a restart under the same name keeps its partitions without touching the others',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic, 4)
      const stays = await open({ instanceId: 'stays', limits: { sessionTimeoutMs: 8000 } })
      const restarts = await open({ instanceId: 'restarts', limits: { sessionTimeoutMs: 8000 } })
      await pollUntil([stays, restarts], () => stays.assigned.size === 2 && restarts.assigned.size === 2, 'two each')
      const changes = stays.changes.length
      const before = [...restarts.assigned.keys()].sort()
      await restarts.source.close({ leave: false })
      const again = await open({ instanceId: 'restarts', limits: { sessionTimeoutMs: 8000 } })
      await pollUntil([stays, again], () => again.assigned.size === 2, 'its partitions')
      assert.deepEqual([...again.assigned.keys()].sort(), before)
      await pollUntil([stays], () => stays.source.isMember(), 'membership')
      assert.equal(stays.changes.length, changes)
    }
  )

  law('a member that will stop gets no more partitions, and holds up who comes', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 4)
    // For which the group would wait at most.
    const limits = { sessionTimeoutMs: 60_000 }
    const stops = await open({ instanceId: 'stops', limits })
    const leaves = await open({ instanceId: 'leaves', limits })
    await pollUntil([stops, leaves], () => stops.assigned.size === 2 && leaves.assigned.size === 2, 'two each')
    const changes = stops.changes.length
    stops.source.retire()
    await leaves.source.close({ leave: true })
    const comes = await open({ instanceId: 'comes', limits })
    // Longer than it takes to be told of a rebalance.
    const endMs = Date.now() + 4000
    while (Date.now() < endMs) await Promise.all([stops.pollOnce(50), comes.pollOnce(50)])
    assert.equal(stops.changes.length, changes)
    assert.equal(comes.assigned.size, 0)
    await stops.source.close({ leave: true })
    await pollUntil([comes], () => comes.assigned.size === 4, 'all partitions')
    assert.equal(comes.changes.length, 4, 'dealt once')
  })

  law('a leader that was restarted still deals new partitions', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    const limits = { sessionTimeoutMs: 8000 }
    const leader = await open({ instanceId: 'leader', limits })
    await pollUntil([leader], () => leader.assigned.size === 2, 'all partitions')
    const other = await open({ instanceId: 'other', limits })
    await pollUntil([leader, other], () => leader.assigned.size === 1 && other.assigned.size === 1, 'one each')
    await leader.source.close({ leave: false })
    const again = await open({ instanceId: 'leader', limits })
    await pollUntil([again, other], () => again.assigned.size === 1, 'its partition')
    await cluster.addPartitions(topic, 4)
    await pollUntil([again, other], () => again.assigned.size === 2 && other.assigned.size === 2, 'two each')
  })

  law('partitions that came while the leader was away are dealt when it is back', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    // The next look at the cluster comes after the test.
    const limits = { sessionTimeoutMs: 60_000, metadataRefreshMs: 60_000 }
    const leader = await open({ instanceId: 'leader', limits })
    await pollUntil([leader], () => leader.assigned.size === 2, 'all partitions')
    await leader.source.close({ leave: false })
    await cluster.addPartitions(topic, 4)
    const again = await open({ instanceId: 'leader', limits })
    await pollUntil([again], () => again.assigned.size === 4, 'the new partitions')
  })

  law('a member that is stopped while it first joins is out of the group at once', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    const limits = { sessionTimeoutMs: 60_000 }
    const silent = await open({ instanceId: 'silent', limits })
    await pollUntil([silent], () => silent.assigned.size === 2, 'all partitions')
    // Still a member, which the group waits for when it makes room for another.
    await silent.source.close({ leave: false })
    const joins = await open({ instanceId: 'joins', limits })
    const endMs = Date.now() + 20_000
    while ((await cluster.countMembers(`g-${topic}`)) < 2) assert.ok(Date.now() < endMs, 'it asks to join')
    await joins.source.close({ leave: true })
    assert.equal(await cluster.countMembers(`g-${topic}`), 1)
  })

  law(
    'a member that its group has forgotten reports nothing while it waits to join anew, and is not fenced',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(topic, 2)
      const limits = { sessionTimeoutMs: 60_000 }
      const silent = await open({ instanceId: 'silent', limits })
      const forgotten = await open({ instanceId: 'forgotten' })
      await pollUntil(
        [silent, forgotten],
        () => silent.assigned.size === 1 && forgotten.assigned.size === 1,
        'one each'
      )
      const [held = firstOf(topic)] = forgotten.assigned.keys()
      const report = () => forgotten.source.report(new Map([[held, { nextOffset: 0, metadata: '' }]]))
      // Still a member: who joins anew has to wait for it.
      await silent.source.close({ leave: false })
      await cluster.removeMember(`g-${topic}`, 'forgotten')
      const endMs = Date.now() + 20_000
      while ((await cluster.countMembers(`g-${topic}`)) < 2) assert.ok(Date.now() < endMs, 'it asks to join anew')
      for (let round = 0; round < 5; round++) {
        await forgotten.pollOnce(20)
        assert.equal(await report(), false)
      }
      const again = await open({ instanceId: 'silent', limits })
      await pollUntil(
        [again, forgotten],
        () => forgotten.source.isMember() && again.assigned.size === 1,
        'one each again'
      )
      assert.equal(await report(), true)
    }
  )

  law('a second process under the same name fences the first, which stops', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    const first = await open({ instanceId: 'same' })
    await pollUntil([first], () => first.assigned.size === 1, 'assignment')
    const second = await open({ instanceId: 'same' })
    await pollUntil([second], () => second.assigned.size === 1, 'taking over')
    await assert.rejects(
      pollUntil([first], () => false, 'the fence'),
      (error: unknown) => error instanceof FatalError && error.reason === 'InstanceFenced'
    )
  })

  law('a member without partitions is a member', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic)
    const members = [await open({ instanceId: 'a' }), await open({ instanceId: 'b' })]
    await pollUntil(members, () => members.every(({ source }) => source.isMember()), 'both members')
    await pollUntil(members, () => members.reduce((sum, { assigned }) => sum + assigned.size, 0) === 1, 'one partition')
  })

  law('new partitions are dealt and what was held is not touched', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 1)
    const source = await open()
    await pollUntil([source], () => source.assigned.size === 1, 'assignment')
    await cluster.addPartitions(topic, 3)
    await pollUntil([source], () => source.assigned.size === 3, 'three partitions')
    assert.deepEqual(source.changes, [`+${topic}-0`, `+${topic}-1`, `+${topic}-2`])
  })

  law(
    'a pattern finds topics by whole name, later ones too, and never internal or dead-letter topics',
    async ({ cluster, topic, open }) => {
      await cluster.createTopic(`${topic}.a`)
      await cluster.createTopic(`${topic}.a-dead`)
      await cluster.createTopic(`x${topic}.a`)
      await cluster.createTopic(`__${topic}.a`)
      const source = await open({ topics: [], patterns: [`(__)?${topic}\\..*`] })
      await pollUntil([source], () => source.assigned.size === 1, 'the first topic')
      await cluster.createTopic(`${topic}.b`)
      await pollUntil([source], () => source.assigned.size === 2, 'the new topic')
      for (let round = 0; round < 10; round++) await source.pollOnce(50)
      assert.deepEqual([...source.assigned.keys()].sort(), [`${topic}.a-0`, `${topic}.b-0`])
    }
  )

  law('a named topic that is missing is waited for; others flow meanwhile', async ({ cluster, topic, open }) => {
    const source = await open({ topics: [topic, `${topic}-later`] })
    const missing = (error: unknown) => error instanceof RetryableError && error.code === 'TopicMissing'
    await assert.rejects(
      pollUntil([source], () => false, 'the trouble'),
      missing
    )
    await cluster.createTopic(topic)
    const patient = async () => {
      await source.pollOnce(50).catch((error: unknown) => assert.ok(missing(error), String(error)))
    }
    while (source.assigned.size < 1) await patient()
    await cluster.createTopic(`${topic}-later`)
    await pollUntil([source], () => source.assigned.size === 2, 'the later topic')
    await assert.rejects(source.source.resolveStart(`${topic}-never`, { position: 'Earliest' }), missing)
  })

  law('reports come back with their metadata, and other groups see nothing', async ({ cluster, topic, open }) => {
    await cluster.createTopic(topic, 2)
    await cluster.produce(topic, 0, numbered(9))
    const source = await open()
    await pollUntil([source], () => source.assigned.size === 2, 'assignment')
    const partitions = [...source.assigned.values()]
    assert.equal((await source.source.reported(partitions)).size, 0)
    await source.source.report(new Map([[firstOf(topic), { nextOffset: 7, metadata: '{"bronze":1}' }]]))
    assert.deepEqual(
      await source.source.reported(partitions),
      new Map([[`${topic}-0`, { nextOffset: 7, metadata: '{"bronze":1}' }]])
    )
    const other = await open({ groupId: `other-${topic}` })
    assert.equal((await other.source.reported(partitions)).size, 0)
  })
}
