import { readFile } from 'node:fs/promises'

/** What a consumer is made for when nothing limits it: 8 topics at full drain stay within it. */
export const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024

/** The share of the memory limit that buffers may hold; the rest is the runtime, fetches and uploads (law 7). */
const BUFFER_SHARE = 1 / 3

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

export function planMemory(limitBytes: number): MemoryPlan {
  const mebibyte = 1024 * 1024
  const fetchBytes = Math.min(8 * mebibyte, Math.max(mebibyte, Math.floor(limitBytes / 64)))
  return {
    budgetBytes: Math.floor(limitBytes * BUFFER_SHARE),
    fetchBytes,
    partitionFetchBytes: Math.max(mebibyte, Math.floor(fetchBytes / 4))
  }
}
