import { globSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'
/** What 16 processes of this machine have. */
const CPU_SHARES = 16 * 1024

/** Whether controllers share one tree (version 2) or have one each. */
export const isUnified = (): boolean => readdirSync(ROOT).includes('cgroup.controllers')

/** Makes the parent of all that the node's pods run in. */
export async function makeCgroups(name: string): Promise<void> {
  if (isUnified()) {
    await mkdir(join(ROOT, name))
    return
  }
  for (const tree of trees()) {
    await mkdir(join(tree, name))
    // A set of processors or memory nodes is empty until it is written.
    if (tree.endsWith('/cpuset')) {
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        await writeFile(join(tree, name, file), await readFile(join(tree, file)))
    }
    // All pods together would else have the part of one process of this machine.
    if (tree.endsWith('/cpu')) await writeFile(join(tree, name, 'cpu.shares'), String(CPU_SHARES))
  }
}

/** Shell text that removes them when their processes are gone; it tries for ten seconds. */
export const removeCgroups = (name: string): string => `
  tries=0
  while [ $tries -lt 100 ] && [ -n "$(find ${ROOT} -maxdepth 2 -name '${name}' -type d 2>/dev/null)" ]; do
    find ${ROOT}/${name} ${ROOT}/*/${name} -depth -type d -exec rmdir {} + 2>/dev/null
    tries=$((tries + 1)); sleep 0.1
  done`

/** What is there under this name. */
export const cgroupsOf = (name: string): string[] => globSync([`${ROOT}/${name}`, `${ROOT}/*/${name}`])

/** Processes of one container, as this machine numbers them. */
export function processesOf(name: string, containerId: string): number[] {
  const tree = isUnified() ? ROOT : join(ROOT, 'pids')
  const [file] = globSync(`${tree}/${name}/**/*${containerId}*/cgroup.procs`)
  if (file === undefined) return []
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number)
}

/** The most memory that a container has had, in bytes, caches of files included. */
export function memoryPeakBytes(name: string, containerId: string): number | undefined {
  const tree = isUnified() ? ROOT : join(ROOT, 'memory')
  const file = isUnified() ? 'memory.peak' : 'memory.max_usage_in_bytes'
  const [path] = globSync(`${tree}/${name}/**/*${containerId}*/${file}`)
  return path === undefined ? undefined : Number(readFileSync(path, 'utf8'))
}

function trees(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(([, path = '', type]) => type === 'cgroup' && path.startsWith(ROOT))
    .map(([, path = '']) => path)
}
