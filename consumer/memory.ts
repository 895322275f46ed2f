import { readFile } from 'node:fs/promises'

/** What a consumer is made for when nothing limits it: 8 topics at full drain stay within it. */
export const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024

/** The most of the memory limit that buffers may hold (law 7). */
const BUFFER_SHARE = 1 / 3
/** What the runtime, its code, fetches and uploads take however little is buffered; measured at full drain. */
const RUNTIME_BYTES = 192 * 1024 * 1024
/** What the client of a sink takes beside that; Snowflake's brings those of three clouds. */
export const SINK_CLIENT_BYTES = { delta: 0, iceberg: 0, s3: 0, snowflake: 48 * 1024 * 1024 } as const
/** Of what the limit leaves: as much again is what was just given up and not yet collected. */
const LEFT_SHARE = 1 / 2
/** However small the limit is. */
const MIN_BUFFER_SHARE = 1 / 16

/** cgroup v2, then v1. */
const LIMIT_FILES = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']

/** Limits above this are "none", as cgroup v1 writes it. */
const NO_LIMIT_BYTES = 2 ** 50

/** The process's memory limit in bytes: the flag, else the container's, else the default. */
export async function memoryLimitBytes(flag: number | undefined): Promise<number> {
  if (flag !== undefined) return flag
  for (const file of LIMIT_FILES) {
    const limit = parseLimit(await readFile(file, 'utf8').catch(() => ''))
    if (limit !== undefined) return limit
  }
  return DEFAULT_MEMORY_BYTES
}

export function parseLimit(text: string): number | undefined {
  const bytes = Number(text.trim() || Number.NaN)
  return Number.isFinite(bytes) && bytes > 0 && bytes < NO_LIMIT_BYTES ? bytes : undefined
}

export interface MemoryPlan {
  /** All buffers of the process together. */
  readonly budgetBytes: number
  /** One fetch response. */
  readonly fetchBytes: number
  readonly partitionFetchBytes: number
}

export function planMemory(limitBytes: number, clientBytes = 0): MemoryPlan {
  const mebibyte = 1024 * 1024
  const fetchBytes = Math.min(8 * mebibyte, Math.max(mebibyte, Math.floor(limitBytes / 64)))
  const leftBytes = Math.max((limitBytes - RUNTIME_BYTES - clientBytes) * LEFT_SHARE, limitBytes * MIN_BUFFER_SHARE)
  return {
    budgetBytes: Math.floor(Math.min(limitBytes * BUFFER_SHARE, leftBytes)),
    fetchBytes,
    partitionFetchBytes: Math.max(mebibyte, Math.floor(fetchBytes / 4))
  }
}
