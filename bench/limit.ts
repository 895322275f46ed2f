import { connect } from 'node:net'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/**
 * The least that any such program must do: read the same bytes from a socket, in blocks with their length before them,
 * decompress them if the topic is, and compress them with zstd level 1 as pages of a file would be. `limit.ts PORT CODEC`.
 */
const [port = '', codec = ''] = process.argv.slice(2)
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 128 * 1024 }

let block = Buffer.alloc(0)
let filled = 0
let length = -1
const head = Buffer.alloc(4)
let outputBytes = 0

const socket = connect({
  port: Number(port),
  host: '127.0.0.1',
  onread: { buffer: Buffer.alloc(256 * 1024), callback: take }
})
socket.on('close', () => console.log(JSON.stringify({ outputBytes })))

function take(size: number, buffer: Uint8Array): boolean {
  let at = 0
  while (at < size) {
    const target = length < 0 ? head : block
    const wanted = (length < 0 ? 4 : length) - filled
    const part = Math.min(wanted, size - at)
    target.set(buffer.subarray(at, at + part), filled)
    filled += part
    at += part
    if (part < wanted) continue
    filled = 0
    if (length < 0) {
      length = head.readUInt32LE()
      if (block.length < length) block = Buffer.allocUnsafeSlow(length)
    } else {
      const content = block.subarray(0, length)
      outputBytes += zstdCompressSync(codec === 'zstd' ? zstdDecompressSync(content) : content, OPTIONS).length
      length = -1
    }
  }
  return true
}
