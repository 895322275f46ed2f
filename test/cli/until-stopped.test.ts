import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Io } from '../../cli/command.ts'
import { untilStopped } from '../../cli/until-stopped.ts'

/** Signals of the system, sent by hand. */
function signals() {
  const handlers = new Set<(signal: NodeJS.Signals) => void>()
  const onSignal: Io['onSignal'] = handler => {
    handlers.add(handler)
    return () => handlers.delete(handler)
  }
  const send = (signal: NodeJS.Signals) => handlers.forEach(handler => handler(signal))
  return { io: { onSignal } as Io, send, handlers }
}

test('work is told of the first signal, whose exit code is that of shells', async () => {
  const { io, send } = signals()
  const told = await untilStopped(io, async ({ signal, exitCode }) => {
    const before = exitCode()
    send('SIGTERM')
    send('SIGINT')
    return { before, isAborted: signal.aborted, exitCode: exitCode() }
  })
  assert.deepEqual(told, { before: undefined, isAborted: true, exitCode: 143 })
})

test('afterwards nobody listens any more, also when the work has failed', async () => {
  const { io, handlers } = signals()
  await assert.rejects(
    untilStopped(io, async () => {
      assert.equal(handlers.size, 1)
      throw new Error('broken')
    }),
    /broken/
  )
  assert.equal(handlers.size, 0)
})
