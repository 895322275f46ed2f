import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { installed } from './cache.ts'

const MAX_OUTPUT_BYTES = 64 * 2 ** 20

/** The interpreter of the environment with deltalake, pyiceberg, DuckDB, PyArrow and confluent-kafka. */
export const pythonPath = (): string => installed('readers', 'bin', 'python')

/** Runs a Python file there and gives what it printed; throws with its standard error when it fails. */
export async function python(
  script: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  input = ''
): Promise<string> {
  const options = { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env }, maxBuffer: MAX_OUTPUT_BYTES }
  const running = promisify(execFile)(pythonPath(), [script, ...args], options)
  // A script that does not read its input may have ended before all was written.
  running.child.stdin?.on('error', () => {})
  running.child.stdin?.end(input)
  try {
    return (await running).stdout
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    throw new Error(`${script} failed:\n${stderr}`, { cause: error })
  }
}
