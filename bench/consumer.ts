import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { consumerEnvironment } from '../cli/consumer-environment.ts'
import { freePorts } from '../test/servers/process.ts'
import { measured, type Account } from './measured.ts'

/** The memory that a consumer is given: what it is made for. */
const MEMORY_BYTES = 256 * 2 ** 20
const PATIENCE_MS = 600_000
const LOOK_EVERY_MS = 100

/** Runs one consumer with this `spec` until its tables are full; `folder` also holds its Secrets, as `<name>/<key>`. */
export async function drain(folder: string, spec: object, isFull: () => Promise<boolean>): Promise<Account> {
  const file = join(folder, 'pipeline.yaml')
  const metadata = { name: 'bench', namespace: 'bench' }
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ apiVersion: 'bronze.dev/v1alpha1', kind: 'BronzePipeline', metadata, spec }))
  const [port = 0] = await freePorts(1)
  const args = ['--pipeline', file, '--instance', 'bench-0', '--port', String(port), '--secrets', folder]
  const memory = ['--memory', String(MEMORY_BYTES)]
  const main = new URL('../consumer/main.ts', import.meta.url)
  const { child, account } = measured(folder, 'consumer', main, [...args, ...memory], consumerEnvironment(process.env))
  const deadline = Date.now() + PATIENCE_MS
  while (!(await isFull()) && child.exitCode === null && Date.now() < deadline) await wait(LOOK_EVERY_MS)
  child.kill('SIGTERM')
  return await account
}
