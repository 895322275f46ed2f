import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { runChaos } from '../../chaos/run.ts'
import { need } from '../../servers/need.ts'

const NEEDS = need('kafka', 's3', 'catalog', 'readers')

const sinks = {
  iceberg:
    'killed consumers, a faulty store and a faulty catalog: every record is in an Iceberg table or its dead letters exactly once',
  'iceberg-transactions': 'the same when the catalog commits table and dead letters in one step'
}
for (const [sink, what] of Object.entries(sinks)) {
  test(what, NEEDS, async t => {
    const seed = randomInt(2 ** 31)
    t.diagnostic(`seed ${seed}`)
    const options = { sink, records: 40_000, kills: 3, pauses: 0, secondsBetweenKills: 4, seed }
    const { result, failure, logs, details } = await runChaos(options)
    assert.equal(failure, undefined, `with seed ${seed}, logs in ${logs}: ${failure}`)
    assert.equal(result.inTable + result.deadLetters, options.records)
    assert.equal(result.kills, options.kills)
    assert.ok(result.deadLetters > 0 && result.faults > 0, details)
  })
}
