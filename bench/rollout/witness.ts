// Loaded into a consumer before its program: writes down what it fetches, a line `partition from next` each, and, if asked
// to, lets it keep its place in the group when it stops. Nothing in the consumer is there for this benchmark.
import { openSync, writeSync } from 'node:fs'
import { Handover } from '../../consumer/source/handover.ts'
import { Membership } from '../../consumer/source/membership.ts'

const file = openSync(process.env['BENCH_FETCHED'] ?? '', 'a')
// oxlint-disable-next-line typescript/unbound-method -- called with the `this` of the original's caller
const take = Handover.prototype.take
Handover.prototype.take = function (this: Handover) {
  const batches = take.call(this)
  const lines = batches.map(
    ({ partition, baseOffset, nextOffset }) => `${partition.partition} ${baseOffset} ${nextOffset}\n`
  )
  if (lines.length > 0) writeSync(file, lines.join(''))
  return batches
}

if (process.env['BENCH_STAYS'] === 'true') {
  // oxlint-disable-next-line typescript/unbound-method -- called with the `this` of the original's caller
  const stop = Membership.prototype.stop
  Membership.prototype.stop = function (this: Membership) {
    return stop.call(this, false)
  }
}
