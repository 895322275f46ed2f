import { run, type TestsStream } from 'node:test'
import { spec } from 'node:test/reporters'
import { inspect } from 'node:util'
import type { Suite } from './suites.ts'

/** What came of one suite. */
export interface Outcome {
  readonly suite: Suite
  readonly passed: number
  readonly failures: readonly { readonly name: string; readonly text: string }[]
  /** Files that failed beside others and passed when run once more alone: printed, to be looked into. */
  readonly unsteady: readonly string[]
  readonly skips: readonly { readonly name: string; readonly reason: string }[]
  /** Those of its files together: two run at once. */
  readonly seconds: number
}

const HANGS = 'It did not end in time: something that it started still runs.'

/** More failures than this are no matter of a loaded machine. */
const MAX_REPEATED = 3

/** Test files at once. They are processes, and many of them start servers. */
const CONCURRENCY = 2

/**
 * Runs suites that may run beside one another, each file in a process of its own; while one waits, another works, whatever
 * suites they are of. With `verbose` every test is printed as it ends; else one line per file, and what failed.
 */
export async function runSuites(root: string, suites: readonly Suite[], options: RunOptions): Promise<Outcome[]> {
  const waiting = suites.flatMap(suite => suite.files.map(file => ({ suite, file })))
  const seen = new Map<string, Seen>()
  const runFile = async (suite: Suite, file: string) => {
    const signal = AbortSignal.timeout(suite.fileTimeoutMs)
    const stream = run({ cwd: root, files: [`${root}/${file}`], concurrency: false, signal })
    if (options.verbose) stream.compose(new spec()).pipe(process.stdout, { end: false })
    const started = performance.now()
    const outcome = await collect(stream, root, options.verbose)
    seen.set(file, { ...outcome, seconds: (performance.now() - started) / 1000 })
  }
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runFile(next.suite, next.file)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  const failed = ({ files }: Suite) => files.filter(file => (seen.get(file)?.failures.length ?? 0) > 0)
  const outcomes: Outcome[] = []
  for (const suite of suites) {
    const first = failed(suite)
    const repeated = options.repeats && suite.hasProcesses && first.length <= MAX_REPEATED ? first : []
    for (const file of repeated) {
      console.log(`once more, alone: ${file}`)
      await runFile(suite, file)
    }
    const still = new Set(failed(suite))
    const all = suite.files.map(file => seen.get(file)).filter(each => each !== undefined)
    outcomes.push({
      suite,
      passed: all.reduce((sum, { passed }) => sum + passed, 0),
      failures: all.flatMap(({ failures }) => failures),
      unsteady: repeated.filter(file => !still.has(file)),
      skips: all.flatMap(({ skips }) => skips),
      seconds: all.reduce((sum, { seconds }) => sum + seconds, 0)
    })
  }
  return outcomes
}

export interface RunOptions {
  readonly verbose: boolean
  /** Whether files of processes that fail get a second run, alone. */
  readonly repeats: boolean
}

type Seen = Pick<Outcome, 'passed' | 'failures' | 'skips' | 'seconds'>

async function collect(stream: TestsStream, root: string, verbose: boolean): Promise<Omit<Seen, 'seconds'>> {
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
