import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDecimal } from '../../../consumer/columns/decimal.ts'
import { decimalOf, longOf, nearestDouble, smallInteger } from '../../../consumer/decode/json-number.ts'
import { randomFrom } from '../../chaos/random.ts'

test('numbers of any length and form are read as the language reads them', () => {
  for (let seed = 0; seed < 20_000; seed++) {
    const random = randomFrom(seed, 6)
    const text = randomNumber(random)
    const bytes = Buffer.from(`,${text},`)
    const [start, end] = [1, bytes.length - 1]
    assert.ok(Object.is(nearestDouble(bytes, start, end), Number(text)), text)
    const small = smallInteger(bytes, start, end)
    if (small !== undefined) assert.ok(small === Number(text) && !Object.is(small, -0), text)
    const [precision, scale] = [1 + Math.floor(random() * 38), Math.floor(random() * 20)]
    if (scale <= precision) {
      const unscaled = decimalOf(bytes, start, end, precision, scale)
      const expected = parseDecimal(text, precision, scale)
      assert.equal(unscaled === undefined ? undefined : BigInt(unscaled), expected, `${text} (${precision}, ${scale})`)
      assert.ok(typeof unscaled !== 'bigint' || !Number.isSafeInteger(Number(unscaled)), text)
    }
    if (/^-?[0-9]+$/.test(text)) {
      const fits = BigInt.asIntN(64, BigInt(text)) === BigInt(text)
      const long = longOf(bytes, start, end)
      assert.equal(long === undefined ? undefined : BigInt(long), fits ? BigInt(text) : undefined, text)
    }
  }
})

/** Of JSON's grammar; short and long, with and without fraction and exponent. */
function randomNumber(random: () => number): string {
  const digits = (most: number) =>
    Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 10)).join('')
  const most = random() < 0.5 ? 8 : 21
  const whole = random() < 0.2 ? '0' : digits(most).replace(/^0+(?=.)/, '')
  const fraction = random() < 0.5 ? '' : `.${digits(most)}${random() < 0.3 ? '000' : ''}`
  const exponent = random() < 0.8 ? '' : `${random() < 0.5 ? 'e' : 'E'}${random() < 0.5 ? '-' : ''}${digits(2)}`
  return (random() < 0.3 ? '-' : '') + whole + fraction + exponent
}
