import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const PREFIX = 'bronze-run-'
/** The consumers of a killed run may still need its folder for their last commits. */
const LEFT_AFTER_MS = 10 * 60_000

/**
 * Makes a folder for one run that nobody else may read, and removes those of runs that were killed: Secrets should not
 * lie about.
 */
export async function makeWorkFolder(parent: string, nowMs: number): Promise<string> {
  for (const name of await readdir(parent)) {
    const pid = /^bronze-run-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const path = join(parent, name)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || nowMs - found.mtimeMs < LEFT_AFTER_MS) continue
    // Another user's is not ours to remove.
    await rm(path, { recursive: true, force: true }).catch(() => {})
  }
  return await mkdtemp(join(parent, `${PREFIX}${process.pid}-`))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
