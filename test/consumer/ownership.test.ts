import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownershipError } from '../../consumer/ownership.ts'

const older = { pipeline: 'lake/first', createdAt: '2026-01-01T00:00:00Z', consumerId: 'a' }
const younger = { pipeline: 'lake/second', createdAt: '2026-02-01T00:00:00Z', consumerId: 'b' }

test('the younger of two live pipelines stops and names the older', () => {
  const error = ownershipError('bronze.orders', younger, older)
  assert.equal(error?.reason, 'TableOwnedByOther')
  assert.match(error.message, /bronze\.orders.*lake\/first.*spec\.topics\[\]\.table/)
})

test('the older goes on', () => assert.equal(ownershipError('bronze.orders', older, younger), undefined))

test('our own pipeline’s other consumers are no strangers', () => {
  assert.equal(ownershipError('t', older, { ...older, consumerId: 'z' }), undefined)
  assert.equal(ownershipError('t', older, undefined), undefined)
})

test('without ages exactly one of the two stops', () => {
  const [one, other] = [
    { ...older, createdAt: undefined },
    { ...younger, createdAt: undefined }
  ]
  const stops = [ownershipError('t', one, other), ownershipError('t', other, one)].filter(error => error !== undefined)
  assert.equal(stops.length, 1)
})
