import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker, type EmbeddedBroker } from '../../../cli/demo/broker/broker.ts'
import { definition } from '../../../crds/schema.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { freePorts } from '../../servers/process.ts'
import { established, eventually } from './running.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface OperatorProcess {
  readonly child: ChildProcess
  readonly output: () => string
  /** The text of `/metrics`, or '' while nothing answers. */
  readonly metrics: () => Promise<string>
  readonly isReady: () => Promise<boolean>
}

// A cluster of its own, without controllers: the tests take the definition's rules away.
suite('operator/main.ts', need('kube'), () => {
  let kube: KubeServer
  let broker: EmbeddedBroker
  const started: ChildProcess[] = []
  const kubectl = async (args: readonly string[], input = '') => {
    const { code, stdout, stderr } = await kube.kubectl(args, input)
    assert.equal(code, 0, stderr)
    return stdout
  }

  before(async () => {
    ;[kube, broker] = await Promise.all([startKube({ controllers: false }), startBroker()])
    broker.createTopic('orders', { partitions: 4 })
    await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(withoutRules(definition)))
    await established(kube)
  })

  after(async () => {
    for (const child of started) if (child.exitCode === null) child.kill('SIGKILL')
    await kube?.stop()
    await broker?.stop()
  })

  async function start(name: string, env: Readonly<Record<string, string>> = {}): Promise<OperatorProcess> {
    const [port = 0] = await freePorts(1)
    const settings = {
      CONSUMER_IMAGE: 'bronze:test',
      POD_NAMESPACE: 'default',
      POD_NAME: name,
      PORT: String(port),
      ...env
    }
    const child = spawn(process.execPath, ['operator/main.ts'], {
      cwd: root,
      env: { PATH: process.env['PATH'], KUBECONFIG: kube.kubeconfig, ...settings },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    started.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    return {
      child,
      output: () => output,
      metrics: async () => (await (await get('/metrics'))?.text()) ?? '',
      isReady: async () => (await get('/readyz'))?.status === 200
    }
  }

  const stopped = async ({ child, output }: OperatorProcess) => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    assert.equal(child.exitCode, 0, output())
  }
  const isLeader = async ({ metrics }: OperatorProcess) => /^bronze_operator_leader 1$/m.test(await metrics())
  const condition = (type: string) =>
    kubectl(['get', 'bp', 'shop', '-o', `jsonpath={.status.conditions[?(@.type=="${type}")].status}`])
  const generation = () =>
    kubectl(['get', 'deploy', 'shop-consumer', '--ignore-not-found', '-o', 'jsonpath={.metadata.generation}'])
  const patch = (spec: object) => ['patch', 'bp', 'shop', '--type=merge', '-p', JSON.stringify({ spec })]

  test('it refuses to start without an image for the consumers', async () => {
    const { child, output } = await start('none', { CONSUMER_IMAGE: '' })
    await once(child, 'exit')
    assert.equal(child.exitCode, 78)
    assert.match(output(), /CONSUMER_IMAGE/)
  })

  test('an invalid spec that the API server let through stalls, and what runs is left alone', async () => {
    const operator = await start('one', { UPGRADE_CRDS: 'false' })
    await kubectl(['apply', '-f', '-'], JSON.stringify(shop(broker.bootstrap)))
    await eventually('a Deployment', generation, found => found === '1')
    await kubectl(
      patch({
        scaling: { mode: 'Partitions', partitionsPerReplica: 2 },
        topics: [{ name: 'orders', table: 'no table!' }]
      })
    )
    await eventually(
      'SpecAccepted=False',
      () => condition('SpecAccepted'),
      status => status === 'False'
    )
    assert.equal(await condition('Stalled'), 'True')
    assert.equal(await generation(), '1')
    assert.match(await kubectl(['get', 'events']), /InvalidSpec +bronzepipeline\/shop +spec.topics\[0\].table/)
    await kubectl(patch({ topics: [{ name: 'orders', table: 'orders' }] }))
    await eventually(
      'SpecAccepted=True',
      () => condition('SpecAccepted'),
      status => status === 'True'
    )
    await eventually('a second generation', generation, found => found === '2')
    await kubectl(patch({ sink: { delta: { location: 'file:///tables' } } }))
    const told = () =>
      kubectl(['get', 'bp', 'shop', '-o', 'jsonpath={.status.conditions[?(@.type=="SpecAccepted")].message}'])
    await eventually('no folder in pods', told, message => message.startsWith('spec.sink.delta.location: '))
    await kubectl(patch({ sink: { delta: { location: 's3://lake/warehouse' } } }))
    await eventually('the bucket again', told, message => message === 'the spec is valid')
    // No schema knows every rule of a pod.
    await kubectl(patch({ consumer: { nodeSelector: { disk: 'not a label!' } } }))
    const reason = () =>
      kubectl(['get', 'bp', 'shop', '-o', 'jsonpath={.status.conditions[?(@.type=="WorkloadAvailable")].reason}'])
    await eventually('ApplyFailed', reason, found => found === 'ApplyFailed')
    await kubectl(patch({ consumer: { nodeSelector: null } }))
    await eventually('another reason', reason, found => found === 'Progressing')
    assert.match(await operator.metrics(), /bronze_pipeline_partitions\{namespace="default",pipeline="shop"\} 4/)
    await stopped(operator)
    assert.equal(await kubectl(['get', 'lease', 'bronze-operator', '-o', 'jsonpath={.spec.holderIdentity}']), '')
  })

  test('of two the second stands by, ready, and takes over when the first ends', async () => {
    const first = await start('first')
    await eventually(
      'the first leads',
      () => isLeader(first),
      found => found
    )
    const second = await start('second')
    await eventually(
      'the second is ready',
      () => second.isReady(),
      found => found
    )
    assert.equal(await isLeader(second), false)
    await stopped(first)
    await eventually(
      'the second leads',
      () => isLeader(second),
      found => found
    )
    await stopped(second)
  })

  test('it brings the resource definition up to date, and the API server then refuses what it let through', async () => {
    const invalid = patch({ topics: [{ name: 'orders', table: 'no table!' }] })
    assert.equal((await kube.kubectl([...invalid, '--dry-run=server'])).code, 0)
    const operator = await start('upgrader', { UPGRADE_CRDS: 'true' })
    const refused = async () => (await kube.kubectl([...invalid, '--dry-run=server'])).stderr
    assert.match(await eventually('a refusal', refused, text => text !== ''), /spec.topics\[0\].table/)
    await stopped(operator)
  })
})

const shop = (bootstrap: string) => ({
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: { name: 'shop', namespace: 'default' },
  spec: {
    source: { bootstrapServers: [bootstrap] },
    topics: [{ name: 'orders', table: 'orders' }],
    sink: { delta: { location: 's3://lake/warehouse' } }
  }
})

/** The schema without what the API server refuses by: rules, patterns. */
function withoutRules(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRules)
  if (typeof schema !== 'object' || schema === null) return schema
  const fields = Object.entries(schema).filter(([name, value]) => {
    return name !== 'x-kubernetes-validations' && !(name === 'pattern' && typeof value === 'string')
  })
  return Object.fromEntries(fields.map(([name, value]) => [name, withoutRules(value)]))
}
