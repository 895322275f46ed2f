import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTemplate, folderAt } from '../../../../consumer/sinks/s3/path-template.ts'
import { FatalError } from '../../../../lib/errors.ts'

const TIME_MS = Date.UTC(2026, 10, 5, 7, 59, 59, 999)
const DATED = 'topic={topic}/dt={yyyy}-{MM}-{dd}'

for (const [template, place, folder] of [
  ['', {}, ''],
  ['topic={topic}', {}, 'topic=orders/'],
  [DATED, {}, 'topic=orders/dt=2026-11-05/'],
  ['{yyyy}/{MM}/{dd}/{HH}/p{partition}', {}, '2026/11/05/07/p3/'],
  ['a/{topic}', { topic: '_bronze' }, 'a/%5Fbronze/'],
  ['{topic}', { topic: '..' }, '%2E./'],
  ['{topic}', { topic: 'a/../b' }, 'a%2F..%2Fb/'],
  ['topic={topic}', { topic: '{yyyy}$&' }, 'topic=%7Byyyy%7D%24%26/'],
  [DATED, { timeMs: null }, 'topic=orders/dt=__HIVE_DEFAULT_PARTITION__/'],
  ['{yyyy}/{topic}={HH}', { timeMs: null }, 'null/orders=__HIVE_DEFAULT_PARTITION__/'],
  ['d={yyyy}', { timeMs: Date.UTC(10_000, 0) }, 'd=__HIVE_DEFAULT_PARTITION__/'],
  ['d={yyyy}', { timeMs: 9e18 }, 'd=__HIVE_DEFAULT_PARTITION__/'],
  ['d={yyyy}-{MM}', { timeMs: Date.UTC(1969, 11, 31) }, 'd=1969-12/']
] as const) {
  test(`${template} of ${JSON.stringify(place)} is ${folder}`, () => {
    checkTemplate(template)
    assert.equal(folderAt(template, { topic: 'orders', partition: 3, timeMs: TIME_MS, ...place }), folder)
  })
}

for (const template of ['/a', 'a/', 'a//b', '..', 'a/../b', '_bronze', '.a', '{minute}', 'a{', '{}', 'a\\b', 'a?b']) {
  test(`${template} is refused`, () => {
    assert.throws(
      () => checkTemplate(template),
      (error: unknown) => error instanceof FatalError && error.message.includes('spec.sink.s3.path')
    )
  })
}
