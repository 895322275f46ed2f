/**
 * Environment variables under which a consumer's Node keeps to its memory limit; whoever starts consumers sets them, since
 * a process cannot change them for itself. Fetched bytes and pages live for moments and in sizes of every kind: glibc
 * would keep what they leave behind in its heaps (a third of a consumer's memory at full drain). So blocks from 256 KiB on
 * are mapped and given back one by one; from 64 KiB on, the size of a socket's reads, that would cost more in the kernel
 * than it saves. A small young generation finds dead buffers soon.
 */
export const CONSUMER_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '262144',
  MALLOC_TRIM_THRESHOLD_: '262144'
}

/** `NODE_OPTIONS` to go with it, after those that are set already. */
export const consumerNodeOptions = (others = ''): string => `${others} --max-semi-space-size=2`.trim()
