import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastingSession } from '../../../../consumer/sinks/snowflake/session/lasting-session.ts'
import type { SnowflakeSession } from '../../../../consumer/sinks/snowflake/session/session.ts'
import { RetryableError } from '../../../../lib/errors.ts'

/** Sessions whose statements take a turn of the event loop; what they do is told. */
function sessions() {
  const told: string[] = []
  let opened = 0
  let running = 0
  const open = async (): Promise<SnowflakeSession> => {
    const id = ++opened
    told.push(`open ${id}`)
    return {
      run: async ({ text }) => {
        assert.equal(running++, 0, 'one statement at a time')
        await new Promise(resolve => setImmediate(resolve))
        running--
        if (!text.startsWith('ALTER SESSION')) told.push(`${id} ${text}`)
        if (text === 'fail') throw new RetryableError('SnowflakeUnavailable', 'away')
        return { rows: [], affected: undefined }
      },
      put: async () => {},
      close: async () => {
        told.push(`close ${id}`)
      }
    }
  }
  return { told, session: new LastingSession(open) }
}

test('one session serves all, one statement after another, and is opened when it is first needed', async () => {
  const { told, session } = sessions()
  assert.deepEqual(told, [])
  await Promise.all(['a', 'b', 'c'].map(async text => await session.run({ text, binds: [] })))
  await session.close()
  assert.deepEqual(told, ['open 1', '1 a', '1 b', '1 c', 'close 1'])
})

test('after a statement that failed the next has a session of its own; one that was never opened is not closed', async () => {
  const { told, session } = sessions()
  const outcomes = await Promise.allSettled(
    ['a', 'fail', 'b'].map(async text => await session.run({ text, binds: [] }))
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled']
  )
  await session.close()
  assert.deepEqual(told, ['open 1', '1 a', '1 fail', 'close 1', 'open 2', '2 b', 'close 2'])
  const idle = sessions()
  await idle.session.close()
  assert.deepEqual(idle.told, [])
})
