import { Reader, crc32c as libraryCrc32c } from '@platformatic/kafka'

/**
 * CRC-32C of `bytes`. Node has only CRC-32; the library brings a native one where its optional dependency is
 * installed, and WebAssembly elsewhere. It copies plain buffers first, which costs more than the sum itself, but
 * takes its own buffer class as it is.
 */
export function crc32c(bytes: Buffer): number {
  return libraryCrc32c(Reader.from(bytes).buffer)
}
