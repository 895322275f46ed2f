import { test } from 'node:test'
import { walk } from '../../../../fakes/snowpipe-walk.ts'

const SEEDS = Number(process.env['WALK_SEEDS'] ?? 12)
const FIRST = Number(process.env['WALK_FIRST'] ?? 1)

/** Seeds that once failed, and what was wrong then. */
const KEPT: readonly { readonly seed: number; readonly why: string }[] = [
  { seed: 163, why: 'a move of the ledger that was given up came after rows of the same taking' },
  { seed: 224, why: 'likewise' }
]

for (const { seed, why } of KEPT) {
  test(`every record is in one table, once (seed ${seed}: ${why})`, async () => {
    await walk(seed)
  })
}

test('two writers that kill, stop and fence each other leave every record in one table, once', async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      await walk(seed)
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
    }
  }
})
