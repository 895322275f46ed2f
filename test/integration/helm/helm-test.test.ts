import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { startOperator, succeed, until } from './operator-process.ts'
import { CHART, manifests, type Manifest } from './render.ts'

interface Pod extends Manifest {
  readonly spec: {
    readonly serviceAccountName: string
    readonly containers: readonly [
      {
        readonly command: readonly string[]
        readonly args: readonly string[]
        readonly env: readonly { readonly name: string; readonly value: string }[]
      }
    ]
  }
}

// The pod of `helm test` as a process of this machine, with its own account's token; test/cluster/ runs it as a pod.
suite('the test of the chart', need('kube', 'helm'), () => {
  let kube: KubeServer
  before(async () => {
    kube = await startKube()
  })
  after(() => kube.stop())

  test('passes where the operator works, fails and says why where it does not, and leaves no pipeline behind', async t => {
    const release = ['one', CHART, '-n', 'bronze']
    const settings = ['--set', 'watchNamespaces={team}']
    await succeed(kube.kubectl(['create', 'namespace', 'team']))
    await succeed(kube.helm(['install', ...release, '--create-namespace', ...settings]))
    const { stdout } = await succeed(kube.helm(['template', ...release, ...settings]))
    const hooks = manifests(stdout).filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test')
    const access = hooks.filter(({ kind }) => kind !== 'Pod').map(hook => JSON.stringify(hook))
    await succeed(kube.kubectl(['apply', '-f', '-'], access.join('\n---\n')))
    const pod = hooks.find(({ kind }) => kind === 'Pod') as Pod

    const before = run(t, kube, pod, 3)
    assert.match((await before).output, /not so.*a replica of the operator is available.*unavailableReplicas/)
    assert.notEqual((await before).code, 0)

    await declareReady(kube)
    const operator = await startOperator(t, kube, stdout)
    const { code, output } = await run(t, kube, pod, 60)
    assert.equal(code, 0, output + operator.log())
    assert.equal(output.match(/^ok: /gm)?.length, 4, output)
    await operator.stop()
    const left = async () =>
      (await succeed(kube.kubectl(['get', 'bronzepipelines,configmaps,deployments', '-n', 'team', '-o', 'name'])))
        .stdout
    await until(
      'nothing is left',
      () => 'get all',
      async () => (await left()) === 'configmap/kube-root-ca.crt\n'
    )
  })
})

/** As a kubelet would run it; `patience` is how often it asks for what is not so yet. */
async function run(t: { after: (work: () => Promise<void>) => void }, kube: KubeServer, pod: Pod, patience: number) {
  const [{ command, args, env }] = pod.spec.containers
  const folder = await mkdtemp(join(tmpdir(), 'bronze-test-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'token'), await kube.token(pod.metadata.namespace ?? '', pod.spec.serviceAccountName))
  await writeFile(join(folder, 'ca.crt'), kube.ca)
  const { hostname, port } = new URL(kube.server)
  const values = Object.fromEntries(env.map(({ name, value }) => [name, value]))
  const mounted = values['ACCOUNT'] ?? ''
  const child = spawn(process.execPath, [...command.slice(1), ...args], {
    env: {
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.replace(mounted, folder)])),
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      ATTEMPTS: String(patience)
    }
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (output += part))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** The controllers count what is ready; here nobody runs the operator's pod. */
async function declareReady(kube: KubeServer): Promise<void> {
  const get = async (what: string, path: string) =>
    (await kube.kubectl(['-n', 'bronze', 'get', what, '-o', `jsonpath=${path}`])).stdout
  await until(
    'a pod',
    () => 'get pods',
    async () => (await get('pods', '{.items[*].metadata.name}')) !== ''
  )
  const pod = await get('pods', '{.items[0].metadata.name}')
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  const patch = ['patch', 'pod', pod, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
  await succeed(kube.kubectl(['-n', 'bronze', ...patch]))
  const available = '{.items[0].status.availableReplicas}'
  await until(
    'a replica',
    () => pod,
    async () => (await get('deployments', available)) === '1'
  )
}
