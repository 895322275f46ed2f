import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runDays } from '../../../bench/scaling/day.ts'
import { scalingReport } from '../../../bench/scaling/report.ts'
import { LagRule } from '../../../bench/scaling/rules.ts'

const read = (path: string) => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8')

test('the plot and the figures of docs/scaling.md are what `npm run simulate:scaling` writes', () => {
  const page = read('scaling.md')
  const report = scalingReport(page)
  assert.equal(report.page, page)
  assert.ok(report.plot === read('scaling-day.svg'), 'docs/scaling-day.svg is another: run npm run simulate:scaling')
})

test('on another day, too, everything that came is written or waits, and each change costs one rebalance', () => {
  const rule = new LagRule()
  const [day] = runDays([rule], 1)
  assert.ok(day)
  const { lag = 0 } = day.points.at(-1) ?? {}
  assert.ok(Math.abs(day.arrived - day.written) <= lag + 1, `${day.arrived} came, ${day.written} written, ${lag} wait`)
  // The first start, and the new image: its pods leave at once and come at once.
  assert.ok(day.rebalances <= day.changes + 3, `${day.rebalances} rebalances, ${day.changes} changes`)
  assert.ok(day.rebalances <= 60, `${day.rebalances} rebalances`)
  for (const reason of ['Idle', 'CatchingUp', 'SinkBound', 'LagUnknown', 'AtMaxReplicas'] as const) {
    assert.ok(rule.reasons.has(reason), reason)
  }
})
