import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../../../../cli/demo/broker/log/crc32c.ts'

// RFC 3720, appendix B.4
const KNOWN: readonly (readonly [what: string, bytes: Buffer, crc: number])[] = [
  ['32 zeroes', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283]
]

test('CRC-32C gives the published values, wherever in a buffer the bytes lie', () => {
  for (const [what, bytes, crc] of KNOWN)
    for (let before = 0; before < 8; before++) {
      const buffer = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(3, 9)])
      assert.equal(crc32c(buffer, before, before + bytes.length), crc, what)
    }
})
