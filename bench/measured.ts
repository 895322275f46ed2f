import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the operating system counted for one process, from its start to its end. */
export interface Account {
  /** User and system. */
  readonly cpuSeconds: number
  readonly peakRssMiB: number
}

export interface Measured {
  readonly child: ChildProcess
  /** Resolves when it has ended well; rejects with what it said when it has not. */
  readonly account: Promise<Account>
}

/** For looking into a run: `BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=…"`. */
const NODE_ARGS = (process.env['BENCH_NODE_ARGS'] ?? '').split(' ').filter(arg => arg !== '')
const ACCOUNT = fileURLToPath(new URL('account.ts', import.meta.url))

/** Starts a program of ours as a process of its own that keeps an account. */
export function measured(
  folder: string,
  name: string,
  script: URL,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env
): Measured {
  const file = join(folder, `${name}.account.json`)
  const child = spawn(process.execPath, [...NODE_ARGS, '--import', ACCOUNT, fileURLToPath(script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, BENCH_ACCOUNT: file }
  })
  return { child, account: ended(child, name).then(async () => JSON.parse(await readFile(file, 'utf8')) as Account) }
}

/** Waits for the end of a process; gives what it printed. */
export async function ended(child: ChildProcess, name: string): Promise<string> {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output = `${output}${text}`.slice(-20_000)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? code}:\n${output}`)
  return output
}
