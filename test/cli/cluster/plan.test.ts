import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { PIPELINES_OF } from '../../fakes/kube-server.ts'
import { lake, pipelineDocument } from './world.ts'

async function planning(context: Parameters<typeof lake>[0]) {
  const world = await lake(context)
  const { kube, run } = world
  const plan = async (document: object, ...args: string[]) => {
    await writeFile(join(kube.folder, 'p.json'), JSON.stringify(document))
    return await run('plan', '-f', 'p.json', ...args)
  }
  return { ...world, plan, writes: () => kube.requests.filter(request => !request.startsWith('GET')) }
}

test('a new pipeline is planned without a write: every request that could change something is a dry run', async context => {
  const { plan, writes } = await planning(context)
  const { code, out, err } = await plan({ ...pipelineDocument(), metadata: { name: 'young', namespace: 'lake' } })
  assert.deepEqual([code, err], [1, ''])
  assert.match(out, /^BronzePipeline lake\/young: new\n/)
  assert.match(out, /create ConfigMap young-config-\S+ \(\d+ lines: --full\)/)
  assert.match(out, /Consumers: not known before .*--kafka/)
  assert.match(out, /It would not run: SecretMissing: .*minio|It would not run: ClaimedByOther: .*lake\/shop/)
  assert.match(out, /Not seen: the operator's Deployment/)
  assert.ok(writes().length > 1)
  assert.deepEqual(
    writes().filter(request => !request.includes('dryRun=All')),
    []
  )
})

test('the way of applying is that of who applied last: a field that is taken out of the file goes away', async context => {
  const { plan, kube } = await planning(context)
  const shop = kube.objects.get(`${PIPELINES_OF('lake')}/shop`) as { metadata: object; spec: object } | undefined
  const spec = { ...shop?.spec, batch: { triggerInterval: '45s' }, suspend: true }
  const last = { ...pipelineDocument({ batch: { triggerInterval: '45s' } }) }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) }
  kube.put(PIPELINES_OF('lake'), { ...shop, spec, metadata: { ...shop?.metadata, annotations } })
  const { out } = await plan(pipelineDocument())
  assert.match(out, /^ +- +triggerInterval: "45s"$/m)
  assert.doesNotMatch(out, /^ +[-+] +suspend: /m)
  const managedFields = [{ manager: 'flux', operation: 'Apply', fieldsV1: {} }]
  kube.put(PIPELINES_OF('lake'), { ...shop, spec, metadata: { ...shop?.metadata, managedFields } })
  await plan(pipelineDocument())
  assert.ok(kube.requests.some(request => /^PATCH .*\/shop\?fieldManager=flux&.*dryRun=All/.test(request)))
})

test('exit codes are those of kubectl diff: 1 is never trouble', async context => {
  const { plan, kube, run } = await planning(context)
  const refused = await plan(pipelineDocument({ topics: [] }))
  assert.equal(refused.code, 78)
  assert.match(refused.err, /spec\.topics/)
  assert.equal((await plan(pipelineDocument(), '-n', 'elsewhere')).code, 2)
  const moved = await plan(pipelineDocument({ sink: { delta: { location: 's3://lake/elsewhere' } } }))
  assert.equal(moved.code, 78)
  assert.match(moved.out, /^BronzePipeline lake\/shop: would be refused: .*immutable/)
  assert.equal((await run('plan')).code, 2)
  assert.equal((await run('plan', 'nowhere')).code, 78)
  const config = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1', 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 't', context: { cluster: 'c', user: 'u' } }],
    'current-context': 't'
  })
  await writeFile(join(kube.folder, 'away'), config)
  assert.equal((await run('plan', 'shop', '--kubeconfig', join(kube.folder, 'away'))).code, 69)
})

test('whoever may not apply gets our own judgement, and is told whose it is', async context => {
  const { plan, kube } = await planning(context)
  kube.objects.delete('/apis/apps/v1/namespaces/lake/deployments/shop-consumer')
  for (const what of ['patch bronzepipelines', 'get secrets', 'patch deployments', 'patch configmaps'])
    kube.forbidden.add(what)
  const { code, out, err } = await plan(pipelineDocument({ batch: { triggerInterval: '45s' } }), '-o', 'json')
  assert.deepEqual([code, err], [1, ''])
  const told = JSON.parse(out) as { judge: string; diff: string[]; notSeen: string[]; changes: { refusal?: string }[] }
  assert.equal(told.judge, 'here')
  assert.ok(told.diff.some(line => line.includes('triggerInterval: "45s"')))
  assert.ok(told.notSeen.includes('Secrets'))
  assert.ok(told.changes.some(({ refusal = '' }) => /cannot patch resource "configmaps"/.test(refusal)))
})
