import { spawn } from 'node:child_process'

/** Runs a program to its end and gives what it printed. Throws with its error output when it fails or is not there. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Buffer> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000)
  })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject)
  child.on('close', resolve)
  const code = await promise.catch((error: unknown) => {
    throw new Error(`${command} does not run here; the image can also be built by docker build -f deploy/Dockerfile`, {
      cause: error
    })
  })
  if (code !== 0) throw new ToolError(`${command} ${args.join(' ')} failed (${code}): ${errors.trim()}`, errors)
  return Buffer.concat(output)
}

export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly output: string

  constructor(message: string, output: string) {
    super(message)
    this.output = output
  }
}
