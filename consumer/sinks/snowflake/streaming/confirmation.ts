import { backoffMs } from '../../../../lib/backoff.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { RetryableError } from '../../../../lib/errors.ts'
import { isHealthy } from './answers.ts'
import type { HeldChannel } from './holds.ts'
import { checkRefusals, type Sight } from './position.ts'
import type { ChannelState, Pipe, StreamingService } from './service.ts'
import { parseToken } from './token.ts'

/** Rows that were appended and are not known to be in the table. */
export interface Awaited {
  readonly channel: HeldChannel
  readonly sight: Omit<Sight, 'state' | 'entry'>
  /** Of the last of them. */
  readonly token: string
  /** Under which they were appended. */
  readonly writeId: string
}

/** In the table; or they never will be, since somebody opened the channel or the service wants it opened anew. */
export type Confirmed = 'committed' | 'stale' | 'invalid'

export interface WaitLimits {
  /** Rows are in the table within some 5 to 10 s (snowpipe-streaming-channels, "Low latency"). */
  readonly commitMs: number
}

/** At first the service is asked often, then less: it answers ten times a second per channel at most. */
const PACE = { firstMs: 200, maxMs: 1_000 }

/**
 * Asks until the token of each channel is the one appended last. FatalError `RowsRefused` when the service would not take rows; RetryableError
 * `CommitNotConfirmed` when they are not in after `commitMs`: whether they ever will be is then unknown.
 */
export async function confirmed(
  awaited: readonly Awaited[],
  service: StreamingService,
  clock: Clock,
  { commitMs }: WaitLimits
): Promise<ReadonlyMap<Awaited, Confirmed>> {
  const done = new Map<Awaited, Confirmed>()
  const untilMs = clock.now() + commitMs
  for (let look = 1; done.size < awaited.length; look++) {
    if (look > 1) await clock.sleep(backoffMs(look - 1, clock.random(), PACE))
    const left = awaited.filter(each => !done.has(each))
    const states = await statesOf(left, service)
    for (const each of left) {
      const found = judge(each, states.get(each))
      if (found !== undefined) done.set(each, found)
    }
    if (done.size < awaited.length && clock.now() >= untilMs) {
      throw new RetryableError(
        'CommitNotConfirmed',
        `Snowflake has received rows for ${awaited.length - done.size} channels, and they are not in the table after ${commitMs / 1000} s`
      )
    }
  }
  return done
}

function judge({ channel, sight, token, writeId }: Awaited, state: ChannelState | undefined): Confirmed | undefined {
  if (state === undefined) return 'invalid'
  // The rows that it refused are below a token that it has.
  if (state.refusedRows > channel.refusedRows) checkRefusals({ ...sight, entry: undefined, state })
  if (state.token === token) return 'committed'
  if (!isHealthy(state)) return 'invalid'
  const found = parseToken(state.token, channel.name)
  // Somebody else's rows came after the opening that ended ours. A token of before our opening has another id too.
  return found !== undefined && found.writeId !== writeId && state.token !== channel.token ? 'stale' : undefined
}

async function statesOf(
  awaited: readonly Awaited[],
  service: StreamingService
): Promise<ReadonlyMap<Awaited, ChannelState>> {
  const states = new Map<Awaited, ChannelState>()
  const byPipe = Map.groupBy(awaited, ({ channel }) => channel.pipe)
  for (const [pipe, some] of byPipe) {
    const found = await service.statuses(
      pipe satisfies Pipe,
      some.map(({ channel }) => channel.name)
    )
    for (const each of some) {
      const state = found.get(each.channel.name)
      if (state !== undefined) states.set(each, state)
    }
  }
  return states
}
