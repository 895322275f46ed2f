/** Packages of Debian by its own client, with a configuration of our own: any architecture, whatever the machine has installed. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PACKAGES, type Architecture, type DebianLock, type LockedPackage } from './debian-lock.ts'
import { readTar, type Entry } from './tar.ts'
import { ToolError, run } from './tool.ts'

export const SUITE = 'bookworm'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

export interface DebianPackage extends LockedPackage {
  readonly name: string
  readonly files: readonly Entry[]
  /** Its control file, as dpkg would keep it. */
  readonly control: string
}

/** A locked version is not offered any more. Mirrors keep only the newest one. */
export class LockedVersionGone extends Error {
  override readonly name = 'LockedVersionGone'
}

/** All locked packages of one architecture, from `cache` when they are there. */
export async function debianPackages(
  lock: DebianLock,
  architecture: Architecture,
  cache: string
): Promise<DebianPackage[]> {
  const locked = Object.entries(lock.packages[architecture]).filter(([name]) => PACKAGES.some(each => each === name))
  const pathOf = ({ sha256 }: LockedPackage) => join(cache, `${sha256}.deb`)
  const missing: [name: string, locked: LockedPackage][] = []
  for (const [name, each] of locked) if (!(await isIntact(pathOf(each), each.sha256))) missing.push([name, each])
  if (missing.length > 0) {
    await withApt(lock.suite, architecture, cache, async (apt, work) => {
      for (const [name, each] of missing) await rename(await download(apt, name, each, join(work, name)), pathOf(each))
    })
  }
  return await Promise.all(
    locked
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(async ([name, each]) => ({
        name,
        ...each,
        files: readTar(await run('dpkg-deb', ['--fsys-tarfile', pathOf(each)], cache)),
        control: (await run('dpkg-deb', ['--field', pathOf(each)], cache)).toString()
      }))
  )
}

/** The newest versions that the mirror offers. */
export async function newestPackages(
  suite: string,
  architecture: Architecture,
  cache: string
): Promise<Record<string, LockedPackage>> {
  return await withApt(suite, architecture, cache, async apt => {
    const shown = (await apt('apt-cache', ['show', '--no-all-versions', ...PACKAGES])).toString()
    const found = shown.split(/\n\n+/).flatMap(stanza => {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(stanza)?.[1]
      const [name, version, sha256] = [field('Package'), field('Version'), field('SHA256')]
      return name === undefined || version === undefined || sha256 === undefined ? [] : [[name, { version, sha256 }]]
    })
    return Object.fromEntries(found) as Record<string, LockedPackage>
  })
}

type Apt = (command: 'apt-get' | 'apt-cache', args: readonly string[], cwd?: string) => Promise<Buffer>

/** Gives the path of a .deb whose content is as locked. */
async function download(apt: Apt, name: string, locked: LockedPackage, folder: string): Promise<string> {
  const { version, sha256 } = locked
  await mkdir(folder)
  await apt('apt-get', ['download', `${name}=${version}`], folder).catch((error: unknown) => {
    if (!(error instanceof ToolError && /was not found|Unable to locate/.test(error.output))) throw error
    throw new LockedVersionGone(
      `${name} ${version} is no longer on Debian's mirror, which keeps the newest version only: npm run image -- ` +
        '--update-lock takes the newest into the lock file; look at what changed, then commit it',
      { cause: error }
    )
  })
  const [deb] = await readdir(folder)
  const path = join(folder, deb ?? '')
  if (deb === undefined || !(await isIntact(path, sha256)))
    throw new Error(`the mirror's ${name} ${version} is not the one that was locked: its SHA-256 is not ${sha256}`)
  return path
}

/** Lists are fetched anew: some ten megabytes, two seconds. */
async function withApt<T>(
  suite: string,
  architecture: Architecture,
  cache: string,
  use: (apt: Apt, work: string) => Promise<T>
): Promise<T> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'apt-'))
  try {
    for (const folder of ['lists/partial', 'archives/partial', 'state'])
      await mkdir(join(work, folder), { recursive: true })
    await writeFile(join(work, 'status'), '')
    await writeFile(join(work, 'sources.list'), sourcesFor(suite, await mirrors(work)))
    await writeFile(join(work, 'apt.conf'), configuration(architecture, work))
    const apt: Apt = (command, args, cwd = work) => run(command, ['-c', join(work, 'apt.conf'), ...args], cwd)
    await apt('apt-get', ['update'])
    return await use(apt, work)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Addresses of the mirrors that the machine's own apt is set up with. */
async function mirrors(work: string): Promise<readonly string[]> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)'], work)
  return [...new Set(targets.toString().split('\n'))].filter(uri => uri !== '')
}

/** Lines of a sources.list: the suite, its updates and its security fixes, whatever suite the machine itself is of. */
export function sourcesFor(suite: string, mirrors: readonly string[]): string {
  const suites: Readonly<Record<string, readonly string[]>> = {
    debian: [suite, `${suite}-updates`],
    'debian-security': [`${suite}-security`]
  }
  const lines = mirrors.flatMap(uri => {
    const archive = /([^/]+)\/*$/.exec(uri)?.[1] ?? ''
    return (suites[archive] ?? []).map(each => `deb [signed-by=${KEYRING}] ${uri} ${each} main\n`)
  })
  if (lines.length > 0) return lines.join('')
  throw new Error(
    "this machine's apt knows no mirror of Debian: build the image on Debian, or by docker build -f deploy/Dockerfile"
  )
}

/** Read after the machine's own, so that its proxy counts, and its hooks and sources do not. */
const configuration = (architecture: Architecture, work: string) => `
#clear APT::Architectures;
#clear APT::Update;
#clear DPkg::Post-Invoke;
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Dir::State "${work}/state";
Dir::State::status "${work}/status";
Dir::State::lists "${work}/lists";
Dir::Cache "${work}";
Dir::Cache::archives "${work}/archives";
Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
`

async function isIntact(path: string, sha256: string): Promise<boolean> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes !== undefined && createHash('sha256').update(bytes).digest('hex') === sha256
}
