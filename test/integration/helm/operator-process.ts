import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KubeAddresses, KubeServer } from '../../servers/kube.ts'
import { manifests, type Manifest } from './render.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const PATIENCE_MS = 180_000

interface Deployment extends Manifest {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string
        readonly containers: readonly [{ readonly env: readonly { name: string; value?: string }[] }]
      }
    }
  }
}

export interface OperatorProcess {
  /** What it has logged so far. */
  readonly log: () => string
  /** Lets an hour pass on its clock. */
  readonly letAnHourPass: () => void
  /** Ends it as Kubernetes would; fails when it does not end well. */
  readonly stop: () => Promise<void>
}

/**
 * Runs the operator as the rendered Deployment would, with the token of its service account. With `aheadMs` its clock is
 * ahead, so that to it what was made just now is that old.
 */
export async function startOperator(
  t: TestContext,
  kube: KubeAddresses,
  rendered: string,
  { aheadMs = 0 } = {}
): Promise<OperatorProcess> {
  const deployment = manifests(rendered).find(({ kind }) => kind === 'Deployment') as Deployment
  const { namespace = '' } = deployment.metadata
  const { serviceAccountName: account, containers } = deployment.spec.template.spec
  const folder = await mkdtemp(join(tmpdir(), 'bronze-operator-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const cluster = { server: kube.server, 'certificate-authority-data': Buffer.from(kube.ca).toString('base64') }
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'operator', user: { token: await kube.token(namespace, account) } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator' } }],
      'current-context': 'test'
    })
  )
  const given = containers[0].env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))
  const env = {
    PATH: process.env['PATH'],
    ...Object.fromEntries(given),
    KUBECONFIG: kubeconfig,
    PORT: '0',
    NODE_OPTIONS: `--import "data:text/javascript,${clockOf(aheadMs)}"`,
    POD_NAME: account,
    POD_NAMESPACE: namespace
  }
  const child = spawn(process.execPath, ['operator/main.ts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  let stopped: Promise<void> | undefined
  const stop = () =>
    (stopped ??= (async () => {
      child.kill('SIGTERM')
      const [code] = (await exited) as [number | null]
      await rm(folder, { recursive: true })
      assert.equal(code, 0, text)
    })())
  t.after(stop)
  return { log: () => text, letAnHourPass: () => child.kill('SIGUSR2'), stop }
}

/** Without blanks and quotation marks, to stand in an option. */
const clockOf = (aheadMs: number) =>
  `const now=Date.now;let ahead=${aheadMs};Date.now=()=>now()+ahead;process.on('SIGUSR2',()=>{ahead+=3600000})`

export async function succeed(running: ReturnType<KubeServer['kubectl']>) {
  const finished = await running
  assert.equal(finished.code, 0, finished.stderr)
  return finished
}

/** Asks until it is so; fails with what `last` says. */
export async function until(what: string, last: () => string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (Date.now() > endMs) assert.fail(`${what} did not come true: ${last()}`)
    await wait(300)
  }
}
