import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { definitionUrl } from '../../../crds/generate.ts'
import { judgeAsServer } from '../../../crds/validate.ts'
import { type Case, corpus } from '../../crds/corpus.ts'
import { mutate } from '../../crds/mutate.ts'
import { need } from '../../servers/need.ts'
import { sharedKube } from '../../servers/kube.ts'
import { Scheduler } from '../../simulation/scheduler.ts'
import { type KubeApi, kubeApi } from './kube-api.ts'

type Manifest = { metadata: { name: string; namespace?: string; resourceVersion?: unknown }; spec: unknown }

const NAMESPACE = 'crds-agreement'
const PATH = `/apis/bronze.dev/v1alpha1/namespaces/${NAMESPACE}/bronzepipelines`
const STRICT = 'fieldValidation=Strict&fieldManager=test'

test(
  'the API server and ajv agree on every manifest of the corpus and fill the same defaults',
  need('kube'),
  async t => {
    const api = await clusterWithDefinition(t)
    const disagreements: string[] = []
    for (const item of corpus()) {
      const [first, second] = item.documents.map(inNamespace)
      const { status, body } =
        second === undefined
          ? await api.call('POST', `${PATH}?dryRun=All&${STRICT}`, first)
          : await change(api, first!, second)
      const isAccepted = status === 200 || status === 201
      if (isAccepted !== item.isGood)
        disagreements.push(`${item.name}: the API server says ${status} ${String(body['message'])}`)
      if (isAccepted && item.isGood) assert.deepEqual(body['spec'], ours(item), `defaults of ${item.name}`)
    }
    assert.deepEqual(disagreements, [])
  }
)

test('they agree on hundreds of manifests that chance has changed', need('kube'), async t => {
  const api = await clusterWithDefinition(t)
  const all = corpus().map(({ documents }) => documents.at(-1))
  const good = corpus().filter(({ isGood }) => isGood)
  const firstSeed = Date.now()
  const counts = { accepted: 0, refused: 0 }
  for (let seed = firstSeed; seed < firstSeed + 600; seed++) {
    const { random } = new Scheduler(seed)
    const base = good[Math.floor(random() * good.length)]!
    const manifest = inNamespace(mutate(base.documents.at(-1), all, random))
    const { status, body } = await api.call('POST', `${PATH}?dryRun=All&${STRICT}`, manifest)
    const result = judgeAsServer(manifest)
    const shown = `seed ${seed}: ${status} ${String(body['message'])}; ${JSON.stringify(result)}; ${JSON.stringify(manifest)}`
    assert.equal(status === 201, result.ok, shown)
    if (result.ok) assert.deepEqual(body['spec'], result.pipeline.spec, shown)
    counts[result.ok ? 'accepted' : 'refused']++
  }
  assert.ok(counts.accepted > 50 && counts.refused > 50, JSON.stringify(counts))
})

test('the largest pipelines stay within what the API server spends on rules', need('kube'), async t => {
  const api = await clusterWithDefinition(t)
  const columns = Array.from({ length: 64 }, (_, index) => ({ name: `column_${index}`.padEnd(64, 'x'), header: 'h' }))
  const expression = `true || 'column' == '${'x'.repeat(200)}'`
  const rules = columns.map(({ name }) => ({ name: name.replace('column', 'rule__'), expression }))
  const delta = { delta: { location: 's3://lake/bronze' } }
  const names = Array.from({ length: 4 }, (_, index) => `column_${index}`.padEnd(64, 'x'))
  const snowflake = {
    snowflake: {
      account: 'acme-analytics',
      url: `https://${'a'.repeat(240)}.example`,
      database: 'D'.repeat(255),
      credentialsSecretRef: { name: 'snowflake' },
      mode: 'Merge',
      clusterBy: names
    }
  }
  const largest = (topics: number, columnsEach: number, rulesEach: number, sink: object) => ({
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    metadata: { name: 'largest' },
    spec: {
      source: { bootstrapServers: ['kafka:9092'] },
      topics: Array.from({ length: topics }, (_, index) => ({
        name: `entry-${index}`,
        topic: `topic-${index}`.padStart(60, 't'),
        table: `bronze_layer.table_${index}`.padEnd(60, 't'),
        columns: columns.slice(0, columnsEach),
        ...(rulesEach === 0 ? {} : { quality: { rules: rules.slice(0, rulesEach) } })
      })),
      sink
    }
  })
  for (const [topics, columnsEach, rulesEach, sink] of [
    [256, 4, 4, delta],
    [32, 64, 0, delta],
    [16, 64, 32, delta],
    [256, 4, 4, snowflake],
    [16, 64, 32, snowflake]
  ] as const) {
    const pipeline = largest(topics, columnsEach, rulesEach, sink)
    assert.ok(judgeAsServer(pipeline).ok)
    // It gives up after half a minute, which on a busy machine says nothing of the rules: their cost is not counted in time.
    let answer = await api.call('POST', `${PATH}?dryRun=All&${STRICT}`, pipeline)
    for (let again = 0; answer.status === 504 && again < 3; again++) {
      answer = await api.call('POST', `${PATH}?dryRun=All&${STRICT}`, pipeline)
    }
    assert.equal(answer.status, 201, String(answer.body['message']))
  }
})

test('kubectl prints the columns and scales a pipeline with mode External only', need('kube'), async t => {
  const api = await clusterWithDefinition(t)
  const { kubectl } = await sharedKube()
  const [smallest, external] = ['smallest', 'scaling-external'].map(name =>
    inNamespace(corpus().find(item => item.name === name)!.documents[0])
  )
  for (const pipeline of [smallest, external])
    assert.equal((await api.call('POST', `${PATH}?${STRICT}`, pipeline)).status, 201)
  const status = {
    conditions: [
      { type: 'Ready', status: 'True', reason: 'AllGood', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
    ],
    summary: { topics: '1', sink: 'Delta', pods: '2/2', lag: '12k', behind: '3m', deadLetters: '0' },
    partitions: 4
  }
  const written = await api.call('PATCH', `${PATH}/smallest/status`, { status }, 'application/merge-patch+json')
  assert.equal(written.status, 200, String(written.body['message']))
  const { stdout } = await kubectl(['-n', NAMESPACE, 'get', 'bp', 'smallest'])
  const [head = '', line = ''] = stdout.split('\n')
  assert.equal(head.split(/ {2,}/).join(' ').trim(), 'NAME READY TOPICS SINK PODS PARTS LAG BEHIND DLQ AGE')
  assert.match(line, /^smallest +True +1 +Delta +2\/2 +4 +12k +3m +0 +\d+s/)
  const scaled = await kubectl(['-n', NAMESPACE, 'scale', 'bp/scaling-external', '--replicas=3'])
  assert.equal(scaled.code, 0, scaled.stderr)
  const refused = await kubectl(['-n', NAMESPACE, 'scale', 'bp/smallest', '--replicas=3'])
  assert.match(refused.stderr, /replicas is required with mode External, and refused with the others/)
})

async function clusterWithDefinition(t: TestContext): Promise<KubeApi> {
  const kube = await sharedKube()
  const applied = await kube.kubectl([
    'apply',
    '--server-side',
    '--force-conflicts',
    '-f',
    fileURLToPath(definitionUrl)
  ])
  assert.equal(applied.code, 0, applied.stderr)
  await kube.kubectl(['wait', '--for=condition=Established', 'crd/bronzepipelines.bronze.dev', '--timeout=20s'])
  const api = kubeApi(kube)
  t.after(async () => {
    await api.call('DELETE', PATH)
    api.close()
  })
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } })
  return api
}

/** Creates the first and tries the change to the second. */
async function change(api: KubeApi, first: Manifest, second: Manifest) {
  const created = await api.call('POST', `${PATH}?${STRICT}`, first)
  assert.equal(created.status, 201, String(created.body['message']))
  const { resourceVersion } = (created.body as unknown as Manifest).metadata
  const changed = { ...second, metadata: { ...second.metadata, resourceVersion } }
  return api.call('PUT', `${PATH}/${second.metadata.name}?dryRun=All&${STRICT}`, changed)
}

function ours({ documents: [first, second] }: Case): unknown {
  const created = judgeAsServer(first)
  assert.ok(created.ok)
  const result = second === undefined ? created : judgeAsServer(second, created.pipeline)
  assert.ok(result.ok)
  return result.pipeline.spec
}

function inNamespace(document: unknown): Manifest {
  const manifest = document as Manifest
  return { ...manifest, metadata: { ...manifest.metadata, namespace: NAMESPACE } }
}
