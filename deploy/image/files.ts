import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { FILES, FOLDERS, isModuleLeftOut, isSourceLeftOut } from './contents.ts'
import { file, readTar, writeTar, type Entry } from './tar.ts'
import { run } from './tool.ts'

/** Where the project lies in the image; the chart starts `node operator/main.ts` there. */
export const HOME = 'app'

/** Our own files. */
export async function sourceEntries(root: string): Promise<Entry[]> {
  const paths = (await Promise.all(FOLDERS.map(folder => filesBelow(root, folder)))).flat()
  const taken = [...paths.filter(path => !isSourceLeftOut(path)), ...FILES]
  return await Promise.all(taken.map(async path => file(`${HOME}/${path}`, await readFile(join(root, path)))))
}

const FOR_NPM = ['package.json', 'package-lock.json', '.npmrc'] as const

/** What `npm ci` installs for production, without what no program loads. The lock file alone decides; no script runs. */
export async function moduleEntries(root: string, cache: string): Promise<Entry[]> {
  await mkdir(cache, { recursive: true })
  const kept = join(cache, `modules-${await modulesKey(root)}.tar`)
  const before = await readFile(kept).catch(() => undefined)
  if (before !== undefined) return readTar(before).filter(({ kind }) => kind === 'file')
  const work = await mkdtemp(join(cache, 'modules-'))
  try {
    for (const name of FOR_NPM) await cp(join(root, name), join(work, name))
    await run('npm', ['ci', '--omit=dev', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'], work)
    const paths = await filesBelow(work, 'node_modules')
    // The hidden lock file names the registry; links in .bin are for people.
    const taken = paths.filter(path => !/(?:^|\/)node_modules\/\.[^/]+/.test(path) && !isModuleLeftOut(path))
    const entries = await Promise.all(
      taken.map(async path => file(`${HOME}/${path}`, await readFile(join(work, path))))
    )
    await writeFile(join(work, 'modules.tar'), writeTar(entries))
    await rename(join(work, 'modules.tar'), kept)
    return entries
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Of all that decides which files these are. */
async function modulesKey(root: string): Promise<string> {
  const hash = createHash('sha256')
  for (const path of FOR_NPM) hash.update(await readFile(join(root, path))).update('\0')
  for (const code of ['contents.ts', 'files.ts']) hash.update(await readFile(new URL(code, import.meta.url)))
  return hash.digest('hex').slice(0, 32)
}

/** Paths of the regular files in a folder below `root`, with forward slashes. */
async function filesBelow(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
}
