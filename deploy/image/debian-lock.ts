import { readFile, writeFile } from 'node:fs/promises'

/** The platforms an image can have, as Debian and OCI name them. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

/** What of Debian is in the image: Node's libraries, certificates, and what tells scanners that this is Debian. */
export const PACKAGES = ['base-files', 'ca-certificates', 'libc6', 'libgcc-s1', 'libstdc++6', 'netbase'] as const

export interface LockedPackage {
  readonly version: string
  /** Of the .deb, in hexadecimal. */
  readonly sha256: string
}

/** The exact packages of `deploy/image/debian.lock.json`. */
export interface DebianLock {
  readonly suite: string
  readonly packages: Readonly<Record<Architecture, Readonly<Record<string, LockedPackage>>>>
}

export async function readLock(path: string): Promise<DebianLock> {
  const lock = JSON.parse(await readFile(path, 'utf8')) as DebianLock
  for (const architecture of ARCHITECTURES) {
    for (const name of PACKAGES) {
      const { version, sha256 } = lock.packages?.[architecture]?.[name] ?? { version: '', sha256: '' }
      // Both become arguments and file names.
      if (!/^[0-9][\w.+:~-]*$/.test(version) || !/^[0-9a-f]{64}$/.test(sha256))
        throw new Error(
          `${path}: packages.${architecture}.${name} needs a version and a sha256; --update-lock writes them`
        )
    }
  }
  if (!/^[a-z]+$/.test(lock.suite)) throw new Error(`${path}: suite is not the name of a Debian release`)
  return lock
}

export async function writeLock(path: string, lock: DebianLock): Promise<void> {
  await writeFile(path, `${JSON.stringify(lock, undefined, 2)}\n`)
}
