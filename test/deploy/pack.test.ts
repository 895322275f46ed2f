import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { asJavaScriptPaths, pack } from '../../deploy/pack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-packed-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** As npm would lay the package out, with this repository's own dependencies beside it. */
async function install(tarball: string): Promise<string> {
  const modules = join(folder, 'node_modules')
  const installed = join(modules, 'bronze-operator')
  await mkdir(installed, { recursive: true })
  const tar = spawnSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], { encoding: 'utf8' })
  assert.equal(tar.status, 0, tar.stderr)
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(manifest.dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
  return installed
}

test('the packed bronze runs below node_modules, without types and without what only developers need', async () => {
  const installed = await install(await pack(folder))
  const files = (await readdir(installed, { recursive: true })).map(path => path.replaceAll('\\', '/'))
  assert.deepEqual(
    files.filter(path => path.endsWith('.ts')),
    []
  )
  assert.ok(files.includes('cli/bronze.js') && files.includes('consumer/main.js'))
  assert.ok(!files.some(path => path.startsWith('cli/demo') || path.startsWith('test')))
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>
  assert.deepEqual(
    [manifest['private'], manifest['scripts'], manifest['devDependencies']],
    [undefined, undefined, undefined]
  )

  const bronze = (...args: string[]) =>
    spawnSync(process.execPath, [join(installed, 'cli/bronze.js'), ...args], { encoding: 'utf8', cwd: folder })
  const version = bronze('--version')
  assert.equal(version.stdout, `${String(manifest['version'])}\n`, version.stderr)
  const good = bronze('validate', '-f', join(installed, 'deploy/examples'))
  assert.equal(good.status, 0, good.stderr)
  assert.match(good.stdout, /eight-topics/)
  const bad = bronze('validate', '-f', join(installed, 'package.json'))
  assert.equal(bad.status, 1)

  const { bin } = manifest as { readonly bin: Readonly<Record<string, string>> }
  assert.deepEqual(Object.keys(bin), ['bronze', 'kubectl-bronze', 'kubectl_complete-bronze'])
  const plugin = join(installed, bin['kubectl-bronze'] ?? '')
  const help = spawnSync(process.execPath, [plugin, 'plan', '--help'], { encoding: 'utf8', cwd: folder })
  assert.match(help.stdout, /^Usage: kubectl bronze plan /m, help.stderr)
})

test('every module of the package loads', async () => {
  const installed = join(folder, 'node_modules/bronze-operator')
  const files = await readdir(installed, { recursive: true })
  // Programs would run.
  const modules = files.filter(
    path => path.endsWith('.js') && !/(main|bronze|launch|stop-with-launcher)\.js$/.test(path)
  )
  const urls = modules.map(path => pathToFileURL(join(installed, path)).href)
  const loads = urls.map(url => `await import(${JSON.stringify(url)})`).join('\n')
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', loads], { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
})

test('only relative paths to TypeScript files are renamed', () => {
  assert.equal(
    asJavaScriptPaths(`import a from './a.ts'; import("../b/c.ts"); new URL('../d.ts', u); 'e.ts'; './f.tsx'`),
    `import a from './a.js'; import("../b/c.js"); new URL('../d.js', u); 'e.ts'; './f.tsx'`
  )
})
