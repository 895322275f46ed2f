import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a program to its end; what it says goes to standard error. Throws when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string
): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd })
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (code !== 0) throw new Error(`${program} ${args.slice(0, 2).join(' ')} … ended with ${signal ?? `code ${code}`}`)
}
