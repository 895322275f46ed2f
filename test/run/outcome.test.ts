import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const RUNNER = JSON.stringify(new URL('outcome.ts', import.meta.url).href)

/** Runs one test file, which fails so many times, as CI does; gives what came of it. */
function outcomeOf(failures: number, hasProcesses: boolean) {
  const root = mkdtempSync(join(tmpdir(), 'bronze-outcome-'))
  try {
    writeFileSync(
      join(root, 'a.test.mjs'),
      `import { appendFileSync, readFileSync } from 'node:fs'
       appendFileSync('runs', '.')
       if (readFileSync('runs').length <= ${failures}) throw new Error('not yet')`
    )
    const suite = { name: 'x', files: ['a.test.mjs'], hasProcesses, servers: [], fileTimeoutMs: 60_000 }
    writeFileSync(
      join(root, 'main.mjs'),
      `import { runSuite } from ${RUNNER}
       const { failures, unsteady } = await runSuite(${JSON.stringify(root)}, ${JSON.stringify(suite)}, { verbose: false, repeats: true })
       console.log(JSON.stringify({ failed: failures.length, unsteady }))`
    )
    // The runner does not run inside itself.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const out = execFileSync(process.execPath, ['main.mjs'], { cwd: root, env, encoding: 'utf8' })
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as unknown
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('a file of processes that fails beside others and passes alone is named, and fails nothing', () => {
  assert.deepEqual(outcomeOf(1, true), { failed: 0, unsteady: ['a.test.mjs'] })
})

test('a file that fails twice has failed', () => {
  assert.deepEqual(outcomeOf(2, true), { failed: 1, unsteady: [] })
})

test('a file without processes has no second chance', () => {
  assert.deepEqual(outcomeOf(1, false), { failed: 1, unsteady: [] })
})
