import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from '../../operator/plan.ts'
import { aLag, aPipeline, conditionOf, IMAGE, NOW, observing, sentences } from './given.ts'

const pipeline = (more: object = {}) =>
  aPipeline({
    sink: {
      snowflake: {
        account: 'acme-analytics',
        database: 'COMMERCE',
        credentialsSecretRef: { name: 'key' },
        proxy: { host: 'proxy', port: 3128, credentialsSecretRef: { name: 'proxy-user' } },
        ...more
      }
    }
  })

for (const missing of ['key', 'proxy-user']) {
  test(`no consumer starts while the Secret ${missing} of Snowflake is missing, and the condition of the sink says so`, () => {
    const secrets = new Map([
      ['key', 'hash'],
      ['proxy-user', 'hash'],
      [missing, undefined]
    ])
    const planned = plan(observing(pipeline(), { secrets }), IMAGE, NOW)
    assert.ok(!sentences(planned).some(sentence => sentence.includes('Deployment')))
    assert.equal(conditionOf(planned, 'SinkReachable'), 'False SecretMissing')
    const { message } = planned.status.conditions?.find(({ type }) => type === 'SinkReachable') ?? {}
    assert.equal(message, `Secret ${missing}, named in spec.sink, does not exist`)
    assert.equal(planned.status.summary?.sink, 'snowflake')
  })
}

test('a pipeline whose commits wait for the warehouse has caught up within the time that they may wait', () => {
  const behind = (more: object, behindSeconds: number) => {
    const source = { lag: aLag({ lag: 9, behindSeconds }), trouble: undefined }
    return conditionOf(plan(observing(pipeline(more), { source }), IMAGE, NOW), 'CaughtUp')
  }
  const waits = { flushWhenWarehouseIdle: false, maxIdleDelay: '10m' }
  assert.equal(behind(waits, 659), 'True CaughtUp')
  assert.equal(behind(waits, 661), 'False Behind')
  assert.equal(behind({}, 61), 'False Behind')
})
