/** `kubectl bronze` as users of a cluster have it: through kubectl, against a real API server, with the chart's roles. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker, type EmbeddedBroker } from '../../../cli/demo/broker/broker.ts'
import { installed } from '../../servers/cache.ts'
import { sharedKube, type KubeAddresses } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { eventually, runOperator, type RunningOperator } from '../operator/running.ts'

const NAMESPACE = 'kubectl-bronze'
const cli = fileURLToPath(new URL('../../../cli', import.meta.url))

suite('kubectl bronze', need('kube', 'helm'), () => {
  let kube: KubeAddresses
  let broker: EmbeddedBroker
  let operator: RunningOperator
  let folder = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bronze-plugin-'))
    ;[kube, broker] = await Promise.all([sharedKube(), startBroker()])
    broker.createTopic('orders', { partitions: 3 })
    await mkdir(join(folder, 'bin'))
    await symlink(join(cli, 'kubectl-bronze.js'), join(folder, 'bin/kubectl-bronze'))
    operator = await runOperator(kube, NAMESPACE)
    for (const role of ['view', 'edit']) {
      await operator.kubectl(['create', 'serviceaccount', role])
      await operator.kubectl([
        'create',
        'rolebinding',
        role,
        `--clusterrole=${role}`,
        `--serviceaccount=${NAMESPACE}:${role}`
      ])
      await writeFile(join(folder, role), kubeconfigOf(kube, await kube.token(NAMESPACE, role)))
    }
    // The controller adds the chart's rules to the cluster's own roles in its own time.
    for (const [role, verb] of [
      ['view', 'list'],
      ['edit', 'patch']
    ] as const) {
      const may = [
        'auth',
        'can-i',
        verb,
        'bronzepipelines.bronze.dev',
        `--as=system:serviceaccount:${NAMESPACE}:${role}`
      ]
      await eventually(
        `${role} may ${verb}`,
        async () => (await kube.kubectl(['-n', NAMESPACE, ...may])).code,
        code => code === 0
      )
    }
  })

  after(async () => {
    await operator?.stop()
    await broker?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** `kubectl bronze …` with the rights of a role. */
  async function run(role: 'view' | 'edit', ...args: string[]) {
    const path = [join(folder, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter)
    const env = { ...process.env, PATH: path, KUBECONFIG: join(folder, role), HOME: folder }
    const child = spawn(installed('kube', 'kubectl'), ['bronze', ...args], { cwd: folder, env })
    child.stdin.end()
    const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
    return { code: code as number, out, err }
  }

  const manifest = (change = '') => `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: shop}
spec:
  source: {bootstrapServers: ['${broker.bootstrap}']}
  topics: [{name: orders, table: bronze.orders, format: Json}]
  sink: {delta: {location: 's3://lake/tables', s3: {endpoint: 'http://127.0.0.1:1'}}}
${change}`

  test('a plan tells what a new pipeline would bring, then nothing, then what a change would', async () => {
    const file = join(folder, 'shop.yaml')
    await writeFile(file, manifest())
    const before = await run('edit', 'plan', '-f', file)
    assert.deepEqual([before.code, before.err], [1, ''])
    assert.match(before.out, /^BronzePipeline kubectl-bronze\/shop: new\n/)
    assert.match(before.out, /create ConfigMap shop-config-/)
    assert.match(before.out, /Consumers: not known before the brokers have told the number of partitions/)
    const asked = await run('edit', 'plan', '-f', file, '--kafka')
    assert.match(asked.out, /create Deployment shop-consumer/)
    assert.match(asked.out, /Consumers: 3, now 0 \(Partitions\)/)
    assert.match((await run('view', 'validate', 'shop')).err, /there is no pipeline shop in kubectl-bronze/)

    await operator.kubectl(['apply', '-f', file])
    const deployed = () => operator.kubectl(['get', 'deployments', '-o', 'name'])
    await eventually('the consumers are made', deployed, names => names.includes('shop-consumer'))
    for (const role of ['view', 'edit'] as const) {
      const same = await run(role, 'plan', '-f', file)
      assert.match(same.out, /^BronzePipeline kubectl-bronze\/shop: no changes\n/)
      assert.deepEqual([same.code, same.err], [0, ''], same.out)
    }
    assert.match((await run('edit', 'plan', 'shop')).out, /The operator would change nothing\.\nConsumers: 3, as now/)

    await writeFile(file, manifest('  batch: {triggerInterval: 45s}\n'))
    const changed = await run('edit', 'plan', '-f', file)
    assert.equal(changed.code, 1)
    assert.match(changed.out, /^ +- +triggerInterval: "30s"\n +\+ +triggerInterval: "45s"$/m)
    assert.match(changed.out, /create ConfigMap/)
    assert.match(changed.out, /change Deployment shop-consumer/)
    assert.match(changed.out, /Consumers start anew: the configuration changed\./)
    assert.equal(await operator.kubectl(['get', 'bp', 'shop', '-o', 'jsonpath={.spec.batch.triggerInterval}']), '30s')
    const viewer = await run('view', 'plan', '-f', file)
    assert.equal(viewer.code, 1)
    assert.match(viewer.out, /you may not apply it yourself/)
    assert.match(viewer.out, /triggerInterval: "45s"/)
    assert.match(viewer.out, /change Deployment shop-consumer: its difference is not known, you may not apply it/)
  })

  test('what the API server would refuse is told with its own words, and exits 78', async () => {
    const file = join(folder, 'moved.yaml')
    await writeFile(file, manifest().replace('s3://lake/tables', 's3://lake/elsewhere'))
    for (const role of ['edit', 'view'] as const) {
      const { code, out } = await run(role, 'plan', '-f', file)
      assert.match(out, /^BronzePipeline kubectl-bronze\/shop: would be refused: .*immutable/)
      assert.equal(code, 78)
    }
    const twin = join(folder, 'twin.yaml')
    await writeFile(twin, manifest('').replace('{name: shop}', '{name: twin}'))
    assert.match((await run('edit', 'plan', '-f', twin)).out, /It would not run: ClaimedByOther: .*shop/)
  })

  test('a viewer sees the status and is refused a suspend; an editor suspends and resumes', async () => {
    const { out, err } = await run('view', 'status')
    assert.equal(err, '')
    assert.match(out, /^kubectl-bronze\/shop +Ready=False/)
    assert.match(out, /scaling +3 consumers \(Partitions\)/)
    const refused = await run('view', 'suspend', 'shop')
    assert.equal(refused.code, 78)
    assert.match(
      refused.err,
      /Forbidden: .*cannot patch resource "bronzepipelines".*The ClusterRole edit has "patch bronzepipelines"/
    )
    assert.deepEqual(await run('edit', 'suspend', 'shop'), {
      code: 0,
      out: 'kubectl-bronze/shop: suspended\n',
      err: ''
    })
    const replicas = () => operator.kubectl(['get', 'deployment', 'shop-consumer', '-o', 'jsonpath={.spec.replicas}'])
    await eventually('no consumer is wanted', replicas, count => count === '0')
    assert.equal((await run('view', 'status', 'shop', '-o', 'json')).err, '')
    assert.equal((await run('edit', 'resume', 'shop')).code, 0)
    await eventually('consumers are wanted again', replicas, count => count === '3')
  })

  test('kubectl passes help, exit codes and what is wrong', async () => {
    assert.match((await run('view', 'suspend', '--help')).out, /^Usage: kubectl bronze suspend NAME/m)
    const wrong = await run('view', 'status', '--nonsense')
    assert.equal(wrong.code, 2)
    assert.match(wrong.err, /See kubectl bronze status --help/)
    assert.match((await run('view', 'init', 'shop', '--dry-run')).out, /CREATE TABLE bronze\.orders/)
  })
})

const kubeconfigOf = ({ server, ca }: KubeAddresses, token: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: NAMESPACE } }],
    'current-context': 'c'
  })
