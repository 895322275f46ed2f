import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const RUNNER = JSON.stringify(new URL('outcome.ts', import.meta.url).href)

type File = readonly [suite: string, text: string]

/** Runs test files, each of a suite, as CI does; gives what came of the suites. */
function outcomesOf(files: readonly File[], hasProcesses = true): readonly { failed: number; unsteady: string[] }[] {
  const root = mkdtempSync(join(tmpdir(), 'bronze-outcome-'))
  try {
    const suites = files.map(([name, text]) => {
      const file = `${name}.test.mjs`
      writeFileSync(join(root, file), `import { appendFileSync, existsSync, readFileSync } from 'node:fs'\n${text}`)
      return { name, files: [file], hasProcesses, servers: [], fileTimeoutMs: 60_000 }
    })
    writeFileSync(
      join(root, 'main.mjs'),
      `import { runSuites } from ${RUNNER}
       const outcomes = await runSuites(${JSON.stringify(root)}, ${JSON.stringify(suites)}, { verbose: false, repeats: true })
       console.log(JSON.stringify(outcomes.map(({ failures, unsteady }) => ({ failed: failures.length, unsteady }))))`
    )
    // The runner does not run inside itself.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const out = execFileSync(process.execPath, ['main.mjs'], { cwd: root, env, encoding: 'utf8' })
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as { failed: number; unsteady: string[] }[]
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** A file that fails so many times. */
const failing = (times: number): File => [
  'a',
  `appendFileSync('runs', '.')\nif (readFileSync('runs').length <= ${times}) throw new Error('not yet')`
]

/** A file that ends when the other one has begun. */
const meeting = (name: string, other: string): File => [
  name,
  `appendFileSync('${name}', '')
   while (!existsSync('${other}')) await new Promise(resolve => setTimeout(resolve, 20))`
]

test('a file of processes that fails beside others and passes alone is named, and fails nothing', () => {
  assert.deepEqual(outcomesOf([failing(1)]), [{ failed: 0, unsteady: ['a.test.mjs'] }])
})

test('a file that fails twice has failed', () => {
  assert.deepEqual(outcomesOf([failing(2)]), [{ failed: 1, unsteady: [] }])
})

test('a file without processes has no second chance', () => {
  assert.deepEqual(outcomesOf([failing(1)], false), [{ failed: 1, unsteady: [] }])
})

test('files of two suites run beside one another', () => {
  const well = { failed: 0, unsteady: [] }
  assert.deepEqual(outcomesOf([meeting('a', 'b'), meeting('b', 'a')]), [well, well])
})
