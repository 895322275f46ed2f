import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Log } from '../../../lib/log.ts'
import { silentLog } from '../../../lib/log.ts'
import { EventRecorder } from '../../../operator/kube/events.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { makeHome } from './running.ts'

test(
  'with the chart’s permissions an event that happens again is the same event, and one that is gone a new one',
  need('kube', 'helm'),
  async () => {
    const { namespace, kubectl, access } = await makeHome(
      await sharedKube(),
      `events-${randomBytes(4).toString('hex')}`
    )
    const clock = new ManualClock(Date.now())
    const client = new KubeClient(access, clock)
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (...words) => void warnings.push(words.map(String).join(' ')) }
    const events = new EventRecorder(client, clock, log, 'operator-0')
    const pipeline = {
      apiVersion: 'bronze.dev/v1alpha1',
      kind: 'BronzePipeline',
      metadata: { namespace, name: 'shop', uid: 'uid-1', resourceVersion: '7' }
    }
    const note = { type: 'Warning', reason: 'SourceUnreachable', message: 'no broker answers' } as const
    const counts = async () => (await kubectl(['get', 'events', '-o', 'jsonpath={.items[*].count}'])).trim()
    await events.tell(pipeline, note)
    await events.tell(pipeline, note)
    assert.equal(await counts(), '1')
    await clock.advance(30 * 60_000)
    await events.tell(pipeline, note)
    assert.equal(await counts(), '3')
    await kubectl(['delete', 'events', '--all'])
    await clock.advance(30 * 60_000)
    await events.tell(pipeline, note)
    assert.equal(await counts(), '1')
    assert.deepEqual(warnings, [])
    client.close()
  }
)
