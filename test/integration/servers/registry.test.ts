import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { need } from '../../servers/need.ts'
import { startRegistry } from '../../servers/registry.ts'

const stops: (() => Promise<void>)[] = []
after(() => Promise.all(stops.map(stop => stop())))

const get = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>

test('schemas, references and compatibility are kept over a crash of the registry', need('registry'), async () => {
  const registry = await startRegistry()
  stops.push(registry.stop)
  const money = { type: 'record', name: 'Money', namespace: 'shop', fields: [{ name: 'cents', type: 'long' }] }
  const moneyId = await registry.register('money', money)
  const order = { type: 'record', name: 'Order', fields: [{ name: 'price', type: 'shop.Money' }] }
  const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
  const id = await registry.register('orders-value', order, { references })
  assert.notEqual(id, moneyId)
  assert.equal(await registry.register('orders-value', order, { references }), id)
  await registry.setCompatibility('BACKWARD', 'money')

  await registry.kill()
  await registry.restart()
  const kept = await get(`${registry.url}/schemas/ids/${id}`)
  assert.deepEqual(JSON.parse(kept['schema'] as string), order)
  assert.deepEqual(kept['references'], references)
  assert.deepEqual(JSON.parse((await get(`${registry.url}/schemas/ids/${moneyId}`))['schema'] as string), money)
  const incompatible = { ...money, fields: [{ name: 'cents', type: 'string' }] }
  await assert.rejects(registry.register('money', incompatible), /answered 409/)
})
