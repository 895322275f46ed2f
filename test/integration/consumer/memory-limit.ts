import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Memory cgroups: of version 2, then of version 1. */
const VERSIONS = [
  { root: '/sys/fs/cgroup', limit: 'memory.max', swap: 'memory.swap.max', swapLimit: () => '0' },
  {
    root: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    swap: 'memory.memsw.limit_in_bytes',
    swapLimit: (bytes: number) => String(bytes)
  }
] as const

export interface MemoryLimit {
  /** Runs a program under the limit, in its own place: beyond the limit the kernel kills it. */
  readonly wrapper: readonly [program: string, ...args: string[]]
  readonly remove: () => Promise<void>
}

/** A hard limit of memory without swap; undefined where this process may not make one. */
export async function hardLimit(bytes: number): Promise<MemoryLimit | undefined> {
  for (const { root, limit, swap, swapLimit } of VERSIONS) {
    const folder = join(root, `bronze-test-${process.pid}`)
    try {
      await mkdir(folder)
    } catch {
      continue
    }
    const remove = async () => {
      // A group is busy until the kernel has buried its last process.
      for (let attempt = 0; attempt < 50; attempt++) {
        try {
          return await rmdir(folder)
        } catch {
          await wait(100)
        }
      }
    }
    try {
      // Only a folder of the kernel's has this file from the start; elsewhere a limit would limit nothing.
      await access(join(folder, limit))
      await writeFile(join(folder, limit), String(bytes))
      await writeFile(join(folder, swap), swapLimit(bytes)).catch(() => {})
      const script = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
      return { wrapper: ['/bin/sh', '-c', script, folder], remove }
    } catch {
      await remove()
    }
  }
  return undefined
}

/** The most memory a process has held in RAM so far, in bytes; undefined where the system does not tell. */
export async function peakBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}
