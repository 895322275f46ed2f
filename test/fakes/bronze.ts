import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))

/** The command as a user starts it. It does not outlive the test. */
export function startBronze(
  context: TestContext,
  args: readonly string[],
  { cwd, env, input = '' }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string }
) {
  const child = spawn(process.execPath, [program, ...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  context.after(() => child.kill('SIGKILL'))
  child.stdin.end(input)
  const output = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { child, ended: output.then(([[code], out, err]) => ({ code: code as number | null, out, err })) }
}
