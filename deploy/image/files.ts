import { cp, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { FILES, FOLDERS, isModuleLeftOut, isSourceLeftOut } from './contents.ts'
import { file, type Entry } from './tar.ts'
import { run } from './tool.ts'

/** Where the project lies in the image; the chart starts `node operator/main.ts` there. */
export const HOME = 'app'

/** Our own files. */
export async function sourceEntries(root: string): Promise<Entry[]> {
  const paths = (await Promise.all(FOLDERS.map(folder => filesBelow(root, folder)))).flat()
  const taken = [...paths.filter(path => !isSourceLeftOut(path)), ...FILES]
  return await Promise.all(taken.map(async path => file(`${HOME}/${path}`, await readFile(join(root, path)))))
}

/** What `npm ci` installs for production, without what no program loads. The lock file alone decides; no script runs. */
export async function moduleEntries(root: string, cache: string): Promise<Entry[]> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'modules-'))
  try {
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) await cp(join(root, name), join(work, name))
    await run('npm', ['ci', '--omit=dev', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'], work)
    const paths = await filesBelow(work, 'node_modules')
    // The hidden lock file names the registry; links in .bin are for people.
    const taken = paths.filter(path => !/(?:^|\/)node_modules\/\.[^/]+/.test(path) && !isModuleLeftOut(path))
    return await Promise.all(taken.map(async path => file(`${HOME}/${path}`, await readFile(join(work, path)))))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Paths of the regular files in a folder below `root`, with forward slashes. */
async function filesBelow(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
}
