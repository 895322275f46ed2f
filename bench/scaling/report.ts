import { invariant } from '../../lib/errors.ts'
import { runDays, type Day } from './day.ts'
import { plotOf } from './plot.ts'
import { AverageLagRule, LagRule, type ScalingRule } from './rules.ts'
import { CONSUMER_RATE } from './traffic.ts'

const SEED = 7
/** Targets of the average lag, as the time in which one consumer writes so much: nobody knows the right one beforehand. */
const TARGET_SECONDS = [10, 30, 60, 120]
const SHOWN_TARGET = 30
/** Where the figures stand in docs/scaling.md. */
const [BEGIN, END] = ['<!-- figures of `npm run simulate:scaling` -->', '<!-- end of figures -->']

/** What the command writes: the plot, and the page with its figures. The same for the same code. */
export function scalingReport(page: string): { readonly plot: string; readonly page: string } {
  const days = runDays([new LagRule(), ...TARGET_SECONDS.map(averageRule)], SEED)
  const [ours, shown] = [days[0], days[1 + TARGET_SECONDS.indexOf(SHOWN_TARGET)]]
  invariant(ours !== undefined && shown !== undefined, 'there is a day for each rule')
  const [before, rest] = split(page, BEGIN)
  const [, after] = split(rest, END)
  return { plot: plotOf(ours, shown), page: `${before}${BEGIN}\n\n${tableOf(days)}\n\n${END}${after}` }
}

const averageRule = (seconds: number): ScalingRule =>
  new AverageLagRule(`average lag, ${(seconds * CONSUMER_RATE) / 1000}k each`, seconds * CONSUMER_RATE)

function tableOf(days: readonly Day[]): string {
  const rows = days.map(day => [
    day.rule,
    String(day.rebalances),
    `${(day.mostLag / 1e6).toFixed(1)} M`,
    `${Math.round(day.behindSeconds / 60)} min`,
    day.consumerHours.toFixed(0)
  ])
  const head = ['rule', 'rebalances', 'most records waiting', 'older than two minutes', 'consumer-hours']
  return [head, ['---', '--:', '--:', '--:', '--:'], ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark)
  if (at < 0) throw new Error(`docs/scaling.md lacks the line ${mark}`)
  return [text.slice(0, at), text.slice(at + mark.length)]
}
