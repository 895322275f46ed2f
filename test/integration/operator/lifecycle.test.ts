import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test, type TestContext } from 'node:test'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { eventually } from './running.ts'
import { Story } from './story.ts'
import { versionsHome } from './versions.ts'

const id = randomBytes(4).toString('hex')

// They wait most of the time, each for a namespace of its own.
const options = { ...need('kube', 'helm'), concurrency: 3 }

suite('the life of a pipeline, on an API server with controllers', options, () => {
  let count = 0

  const begin = async (context: TestContext) => {
    const home = await versionsHome(await sharedKube(), `life-${id}-${++count}`)
    context.after(async () => {
      if (!(context as unknown as { readonly passed: boolean }).passed) console.log(home.lines.join(''))
      await home.stop()
    })
    return { home, story: new Story(home) }
  }

  test('consumers that do not become ready make room for the last healthy ones; another spec is tried, the same one after a suspension', async context => {
    const { home, story } = await begin(context)
    const { kubectl } = home
    await story.apply({ consumer: { image: 'good:1', readyTimeout: '10s' } })
    await home.upgrade('bronze:1')
    await story.untilHealthy()
    await story.patch({ consumer: { image: 'bad:1' } })
    await story.untilImage('bad:1')
    await story.until('WorkloadAvailable', 'False InvalidPipeline')
    await story.until('WorkloadAvailable', 'False RevisionRolledBack')
    assert.equal(await story.image(), 'good:1')
    assert.equal(await story.condition('Stalled'), 'True RevisionRolledBack')
    assert.match(
      await kubectl(['get', 'events']),
      /RevisionRolledBack +bronzepipeline\/shop +.*InvalidPipeline: it cannot be/
    )
    const generation = await story.deployed('{.metadata.generation}')
    await story.patch({ scaling: { mode: 'External', replicas: 2 } })
    await story.aFewLooks()
    assert.equal(await story.deployed('{.metadata.generation}'), generation)
    await story.patch({ consumer: { image: 'bad:2' } })
    await story.untilImage('bad:2')
    await story.until('WorkloadAvailable', 'False RevisionRolledBack')
    await story.patch({ suspend: true })
    await story.until('Ready', 'False Suspended')
    await story.patch({ suspend: false })
    await story.untilImage('bad:2')
    await story.until('WorkloadAvailable', 'False RevisionRolledBack')
    await story.patch({ consumer: { image: 'good:2' } })
    await story.until('WorkloadAvailable', 'True AllReady')
    await story.untilHealthy()
    assert.equal(await story.condition('Stalled'), 'False NotStalled')
    assert.equal((await story.pipeline()).status?.revision?.rolledBack, undefined)
  })

  test('nothing goes back while the brokers are away, which hits all revisions', async context => {
    const { home, story } = await begin(context)
    await story.apply({ consumer: { image: 'good:1', readyTimeout: '10s' } })
    await home.upgrade('bronze:1')
    await story.untilHealthy()
    home.brokers.isAway = true
    await story.until('SourceReachable', 'False SourceUnreachable')
    await story.patch({ consumer: { image: 'bad:1' } })
    await story.untilImage('bad:1')
    for (let turn = 0; turn < 5; turn++) await story.aFewLooks()
    assert.equal(await story.image(), 'bad:1')
    home.brokers.isAway = false
    await story.until('WorkloadAvailable', 'False RevisionRolledBack')
  })

  test('mode Plan tells what would be done and does nothing, also while consumers run', async context => {
    const { home, story } = await begin(context)
    const { kubectl } = home
    await story.apply({ mode: 'Plan', consumer: { image: 'good:1' } })
    await home.upgrade('bronze:1')
    await story.until('Ready', 'False Planned')
    const planned = async () => (await story.pipeline()).status?.plan
    const first = await planned()
    assert.deepEqual(
      first?.changes?.map(({ do: verb, kind }) => `${verb} ${kind}`),
      ['Create ServiceAccount', 'Create ConfigMap', 'Create PodDisruptionBudget', 'Create Deployment']
    )
    assert.equal(await kubectl(['get', 'deploy,cm,sa,pdb', '-l', 'bronze.dev/pipeline=shop', '-o', 'name']), '')
    await story.patch({ mode: 'Apply' })
    await story.untilHealthy()
    assert.equal(await planned(), undefined)
    await story.patch({ mode: 'Plan', consumer: { image: 'good:2' } })
    const plan = await eventually('a plan of it', planned, found => found?.generation === 3)
    const change = plan?.changes?.find(({ kind }) => kind === 'Deployment')
    const diff = change?.diff ?? []
    assert.ok(diff.includes('-           image: good:1'), diff.join('\n'))
    assert.ok(diff.includes('+           image: good:2'))
    assert.match(
      await kubectl(['get', 'events']),
      /Planned +bronzepipeline\/shop +spec.mode: Apply creates ConfigMap; changes Deployment/
    )
    assert.equal(await story.image(), 'good:1')
    assert.equal(await story.condition('Ready'), 'True Ready')
    await story.patch({ mode: 'Apply' })
    await story.untilImage('good:2')
    await story.untilHealthy()
  })

  test('suspended is who has left: not while a pod is still writing', async context => {
    const { home, story } = await begin(context)
    const { kubectl } = home
    await story.apply({})
    await home.upgrade('bronze:1')
    await story.untilHealthy()
    const [pod = ''] = (await kubectl(['get', 'pods', '-o', 'name'])).split('\n')
    // As a grace period would, it keeps the pod until it is taken away.
    await kubectl(['patch', pod, '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/writes"]}}'])
    await story.patch({ suspend: true })
    await story.until('Ready', 'False Suspending')
    await story.aFewLooks()
    assert.equal(await story.condition('Reconciling'), 'True Suspending')
    await kubectl(['patch', pod, '--type=merge', '-p', '{"metadata":{"finalizers":null}}'])
    await story.until('Ready', 'False Suspended')
    assert.equal(await story.condition('Reconciling'), 'False UpToDate')
    assert.equal(await story.read('bp/shop', '{.status.summary.pods}'), '0/0')
    await story.patch({ suspend: false })
    await story.until('Ready', 'True Ready')
  })

  test('a certificate that consumers read at their start restarts them when it changes; credentials do not', async context => {
    const { home, story } = await begin(context)
    const { kubectl } = home
    const s3 = { endpoint: 'https://minio:9000', credentialsSecretRef: { name: 'key' }, caSecretRef: { name: 'ca' } }
    await story.apply({ sink: { delta: { location: 's3://lake/warehouse', s3 } } })
    await kubectl(['create', 'secret', 'generic', 'key', '--from-literal=accessKeyId=a'])
    await home.upgrade('bronze:1')
    await story.until('SinkReachable', 'False SecretMissing')
    assert.equal(await story.image(), '')
    await kubectl(['create', 'secret', 'generic', 'ca', '--from-literal=ca.crt=a'])
    await story.untilHealthy()
    const generation = () => story.deployed('{.metadata.generation}')
    const before = await generation()
    await kubectl(['patch', 'secret', 'key', '-p', '{"stringData":{"accessKeyId":"b"}}'])
    // The operator keeps what it has read of a Secret for ten seconds.
    for (let turn = 0; turn < 4; turn++) await story.aFewLooks()
    assert.equal(await generation(), before)
    await kubectl(['patch', 'secret', 'ca', '-p', '{"stringData":{"ca.crt":"b"}}'])
    await eventually('new pods', generation, now => now !== before)
    await story.until('WorkloadAvailable', 'True AllReady')
    const rotated = await generation()
    await kubectl(['delete', 'secret', 'key'])
    await story.until('SinkReachable', 'False SecretMissing')
    await story.aFewLooks()
    assert.equal(await generation(), rotated)
  })

  for (const [what, cascade, prepare] of [
    ['while the brokers are away', 'background', async ({ home }: Story) => void (home.brokers.isAway = true)],
    ['while it is suspended', 'foreground', (story: Story) => story.patch({ suspend: true })],
    [
      'while it goes back',
      'foreground',
      (story: Story) => story.patch({ consumer: { image: 'bad:1', readyTimeout: '10s' } })
    ]
  ] as const) {
    test(`a pipeline deleted ${what}, in the ${cascade}, leaves nothing behind`, async context => {
      const { home, story } = await begin(context)
      const { kubectl } = home
      await story.apply({})
      await home.upgrade('bronze:1')
      await story.untilHealthy()
      await prepare(story)
      await story.aFewLooks()
      await kubectl(['delete', 'bp', 'shop', `--cascade=${cascade}`, '--timeout=30s'])
      const left = () => kubectl(['get', 'deploy,rs,pods,cm,sa,pdb', '-l', 'bronze.dev/pipeline=shop', '-o', 'name'])
      await eventually('nothing left', left, names => names === '')
      await story.aFewLooks()
      assert.equal(await left(), '')
      assert.ok(!home.lines.some(line => line.includes('a reconcile failed')), home.lines.join(''))
    })
  }
})
