import { run, type TestsStream } from 'node:test'
import { spec } from 'node:test/reporters'
import { inspect } from 'node:util'
import type { Suite } from './suites.ts'

/** What came of one suite. */
export interface Outcome {
  readonly suite: Suite
  readonly passed: number
  readonly failures: readonly { readonly name: string; readonly text: string }[]
  readonly skips: readonly { readonly name: string; readonly reason: string }[]
  readonly seconds: number
}

const HANGS = 'It did not end in time: something that it started still runs.'

/** Test files at once. They are processes, and many of them start servers. */
const CONCURRENCY = 2

/**
 * Runs a suite, each file in a process of its own. With `verbose` every test is printed as it ends; else one line per file,
 * and what failed.
 */
export async function runSuite(root: string, suite: Suite, verbose: boolean): Promise<Outcome> {
  const started = performance.now()
  const waiting = [...suite.files]
  const seen: Seen[] = []
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const signal = AbortSignal.timeout(suite.fileTimeoutMs)
      const stream = run({ cwd: root, files: [`${root}/${file}`], concurrency: false, signal })
      if (verbose) stream.compose(new spec()).pipe(process.stdout, { end: false })
      seen.push(await collect(stream, root, verbose))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  return {
    suite,
    passed: seen.reduce((sum, { passed }) => sum + passed, 0),
    failures: seen.flatMap(({ failures }) => failures),
    skips: seen.flatMap(({ skips }) => skips),
    seconds: (performance.now() - started) / 1000
  }
}

type Seen = Pick<Outcome, 'passed' | 'failures' | 'skips'>

async function collect(stream: TestsStream, root: string, verbose: boolean): Promise<Seen> {
  const failures: { name: string; text: string }[] = []
  const skips: { name: string; reason: string }[] = []
  const said = new Map<string, string>()
  let passed = 0
  const short = (file: string | undefined) => (file ?? '').replace(`${root}/`, '')
  stream.on('test:pass', ({ name, file, skip, todo, details }) => {
    if (details.type === 'suite') return
    const reason = skip ?? todo
    if (reason === undefined || reason === false) passed++
    else skips.push({ name: `${short(file)}: ${name}`, reason: reason === true ? 'no reason given' : reason })
  })
  stream.on('test:fail', ({ name, file, details }) => {
    // A parent fails with its children, which speak for themselves.
    const { error } = details as { error: Error & { failureType?: string } }
    if (error.failureType === 'subtestsFailed') return
    // A file that could not be run at all fails under its own path and has no summary.
    const isFile = name.endsWith(short(file))
    const text = isFile ? (said.get(file ?? '') ?? HANGS) : inspect(error.cause ?? error)
    const failure = { name: isFile ? short(file) : `${short(file)}: ${name}`, text }
    failures.push(failure)
    if (!verbose) console.log(`FAILED ${failure.name}\n${failure.text}\n`)
  })
  const keep = ({ file, message }: { file?: string | undefined; message: string }) => {
    said.set(file ?? '', (said.get(file ?? '') ?? '') + message)
  }
  stream.on('test:stdout', keep)
  stream.on('test:stderr', keep)
  stream.on('test:summary', ({ file, counts, duration_ms, success }) => {
    if (file === undefined || verbose) return
    if (!success && said.has(file)) console.log(`--- output of ${short(file)}\n${said.get(file)}`)
    const { passed, skipped } = counts
    const failed = failures.filter(({ name }) => name.startsWith(`${short(file)}: `)).length
    const more = `${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`
    console.log(
      `  ${success ? 'ok' : 'not ok'} ${short(file)}: ${passed} passed${more} (${(duration_ms / 1000).toFixed(1)} s)`
    )
  })
  for await (const _ of stream);
  return { passed, failures, skips }
}
