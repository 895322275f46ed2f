// npm run check: format, lint with type-aware rules, types and unused code, all at once.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  format: ['oxfmt', '--check'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  types: ['tsc', '--pretty'],
  unused: ['knip', '--no-progress']
}

interface Verdict {
  readonly name: string
  readonly passed: boolean
  readonly seconds: string
  readonly output: string
}

function run(name: string, [tool = '', ...args]: readonly string[]): Promise<Verdict> {
  const { promise, resolve } = Promise.withResolvers<Verdict>()
  const started = performance.now()
  const program = join(root, 'node_modules', '.bin', tool)
  execFile(program, args, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    resolve({ name, passed: error === null, seconds, output: `${stdout}${stderr}` || (error?.message ?? '') })
  })
  return promise
}

const verdicts = await Promise.all(Object.entries(CHECKS).map(([name, command]) => run(name, command)))
for (const { name, passed, output } of verdicts) if (!passed) console.log(`--- ${name}\n${output.trim()}\n`)
for (const { name, passed, seconds } of verdicts) console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
if (verdicts.some(({ passed }) => !passed)) process.exitCode = 1
