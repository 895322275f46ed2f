import { EXIT_CONFIGURATION } from '../lib/errors.ts'
import type { EntryLag, PipelineLag } from '../operator/source/lag.ts'
import { shortSeconds } from '../lib/figures.ts'
import type { RunEvent } from './status.ts'
import { isCleanEnd, type ConsumerEnd, type ConsumerEvent } from './supervisor.ts'

/** What became of a consumer, in words and fields. */
export function consumerEvent(event: ConsumerEvent, atMs: number, logFile: string): RunEvent {
  const { consumer } = event
  switch (event.kind) {
    case 'started': {
      const message = `${consumer} started, pid ${event.pid ?? 'none'}, log ${logFile}`
      return {
        atMs,
        level: 'info',
        reason: 'ConsumerStarted',
        message,
        consumer,
        fields: { pid: event.pid ?? null, logFile }
      }
    }
    case 'ended':
      return endEvent(consumer, event.end, event.wasAsked, atMs)
    case 'restarting': {
      const { restarts, inMs } = event
      const message = `${consumer} starts again in ${Math.ceil(inMs / 1000)}s (restart ${restarts})`
      return {
        atMs,
        level: 'info',
        reason: 'ConsumerRestarting',
        message,
        consumer,
        fields: { restarts, waitMs: inMs }
      }
    }
    case 'killed': {
      const message = `${consumer} did not stop within ${shortSeconds(event.afterMs / 1000)} and was killed`
      return { atMs, level: 'warning', reason: 'ConsumerKilled', message, consumer }
    }
  }
}

function endEvent(consumer: string, end: ConsumerEnd, wasAsked: boolean, atMs: number): RunEvent {
  const { code, signal, reason, message, lastLines } = end
  const fields = { exitCode: code, signal }
  if (isCleanEnd(end, wasAsked)) {
    return { atMs, level: 'info', reason: 'ConsumerStopped', message: `${consumer} stopped`, consumer, fields }
  }
  const how = signal === null ? `ended with exit code ${code ?? 'none'}` : `was ended by ${signal}`
  const why = reason === undefined ? '' : `: ${reason}: ${message ?? ''}`
  if (code === EXIT_CONFIGURATION) {
    return {
      atMs,
      level: 'error',
      reason: 'ConsumerRefused',
      message: `${consumer} cannot go on${why}`,
      consumer,
      fields
    }
  }
  return {
    atMs,
    level: 'warning',
    reason: 'ConsumerEnded',
    message: `${consumer} ${how}${why}`,
    consumer,
    fields: { ...fields, lastLines }
  }
}

/** What a sample tells that the one before did not: tables in trouble, tables well again, losses in the source. */
export function newsOf(before: PipelineLag | undefined, now: PipelineLag): RunEvent[] {
  const { atMs } = now
  const errors = errorsByTable(now.entries)
  const errorsBefore = errorsByTable(before?.entries ?? [])
  const events: RunEvent[] = []
  for (const [table, code] of errors) {
    if (errorsBefore.get(table) === code) continue
    const message = `table ${table} cannot be written: ${code}; its consumers keep trying`
    events.push({ atMs, level: 'warning', reason: 'SinkFailing', message, fields: { table, code } })
  }
  for (const table of errorsBefore.keys()) {
    if (errors.has(table)) continue
    const message = `table ${table} takes commits again`
    events.push({ atMs, level: 'info', reason: 'SinkWorks', message, fields: { table } })
  }
  // What was lost before the run began is no news.
  if (before === undefined) return events
  const lossesBefore = new Map(before.entries.map(({ name, dataLoss }) => [name, dataLoss?.atMs]))
  for (const { name, dataLoss } of now.entries) {
    if (dataLoss === undefined || dataLoss.atMs === lossesBefore.get(name)) continue
    const { topic, kind } = dataLoss
    const message = `topic ${topic} has lost records (${kind}); going on, as onDataLoss says`
    events.push({ atMs, level: 'warning', reason: 'DataLoss', message, fields: { topic, kind } })
  }
  return events
}

function errorsByTable(entries: readonly EntryLag[]): Map<string, string> {
  return new Map(entries.flatMap(({ table, sinkError }) => (sinkError === undefined ? [] : [[table, sinkError]])))
}
