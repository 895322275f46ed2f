import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildImage, type Built } from '../../../deploy/image/build.ts'
import { FOLDERS, isSourceLeftOut } from '../../../deploy/image/contents.ts'
import { LockedVersionGone, newestPackages } from '../../../deploy/image/debian.ts'
import { PACKAGES, readLock, type Architecture, type DebianLock } from '../../../deploy/image/debian-lock.ts'
import { isElf, readProgram } from '../../../deploy/image/elf.ts'
import { readTar, type Entry } from '../../../deploy/image/tar.ts'
import { need } from '../../servers/need.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const cache = join(root, 'node_modules/.cache/image')
const options = { ...need('debian'), timeout: 1_100_000 }
const own: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
const other: Architecture = own === 'amd64' ? 'arm64' : 'amd64'

let folder = ''
let lock: DebianLock
let built: Built
let unpacked = ''

before(async () => {
  if (options.skip !== undefined) return
  folder = mkdtempSync(join(tmpdir(), 'bronze-image-'))
  // The tree may change while this runs; both builds are of the same.
  for (const path of [...FOLDERS, 'LICENSE', 'package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, path), join(folder, 'first', path), { recursive: true })
  lock = await readLock(join(root, 'deploy/image/debian.lock.json'))
  const build = () =>
    buildImage({ root: join(folder, 'first'), architectures: ['amd64', 'arm64'], tag: 'bronze:test', lock, cache })
  built = await build().catch(async (error: unknown) => {
    if (!(error instanceof LockedVersionGone)) throw error
    console.log(`${error.message}. This test goes on with the newest versions.`)
    const newest = async (architecture: Architecture) => await newestPackages(lock.suite, architecture, cache)
    lock = { suite: lock.suite, packages: { amd64: await newest('amd64'), arm64: await newest('arm64') } }
    return await build()
  })
  unpacked = join(folder, 'root')
  unpack(own, unpacked)
}, options)
after(() => rmSync(folder, { recursive: true, force: true }))

test(
  'the same files in another folder at another time, for one platform alone, give the same digest',
  options,
  async () => {
    const second = join(folder, 'elsewhere/second')
    cpSync(join(folder, 'first'), second, { recursive: true, preserveTimestamps: false })
    // Packages need not be fetched again, but npm installs its modules anew.
    const fresh = join(folder, 'cache')
    mkdirSync(fresh)
    for (const path of globSync('*.{deb,tgz}', { cwd: cache })) symlinkSync(join(cache, path), join(fresh, path))
    const again = await buildImage({ root: second, architectures: [other], tag: 'other:tag', lock, cache: fresh })
    assert.equal(again.archive.manifests[other], built.archive.manifests[other])
  }
)

test('each program and library is for its platform, and all that they are linked to is there', options, () => {
  for (const { architecture, layers } of built.images) {
    const entries = layers.flatMap(({ gzip }) => entriesOf(gzip))
    const paths = new Map(entries.map(entry => [entry.path, entry]))
    const programs = entries.filter(({ bytes }) => isElf(bytes))
    assert.ok(programs.some(({ path }) => path === 'usr/local/bin/node'))
    for (const { path, bytes } of programs) {
      const { machine, needed, interpreter } = readProgram(bytes)
      assert.equal(machine, architecture, path)
      const triplet = machine === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu'
      for (const name of needed) assert.ok(paths.has(`usr/lib/${triplet}/${name}`), `${path} needs ${name}`)
      if (interpreter !== undefined) assert.ok(paths.has(`usr${interpreter}`), interpreter)
    }
  }
})

test('it runs as nobody, who can write to /tmp alone; no file sets its user', options, () => {
  const { stdout, stderr } = inside('/usr/local/bin/node', [
    '--eval',
    `const { accessSync, readdirSync, constants } = require('node:fs')
     const folders = ['/', ...readdirSync('/', { recursive: true, withFileTypes: true })
       .filter(entry => entry.isDirectory()).map(entry => entry.parentPath.replace(/\\/$/, '') + '/' + entry.name)]
     const canWrite = path => { try { accessSync(path, constants.W_OK); return true } catch { return false } }
     console.log(JSON.stringify([process.getuid(), process.getgid(), process.version, folders.filter(canWrite)]))`
  ])
  const node = lockedVersion(`node-linux-${own === 'amd64' ? 'x64' : 'arm64'}`)
  assert.deepEqual(JSON.parse(stdout || 'null'), [65532, 65532, `v${node}`, ['/tmp']], stderr)
  for (const { layers, run } of built.images) {
    assert.equal(run.user, '65532:65532')
    for (const { mode, path } of layers.flatMap(({ gzip }) => entriesOf(gzip))) assert.equal(mode & 0o6000, 0, path)
  }
})

test('the operator and the consumer start, and say what they lack', options, () => {
  const operator = inside('/usr/local/bin/node', ['/app/operator/main.ts'])
  assert.deepEqual([operator.status, operator.stderr], [78, ''])
  assert.match(operator.stdout, /CONSUMER_IMAGE is not set/)
  const consumer = inside('/usr/local/bin/node', ['/app/consumer/main.ts', '--instance', 'pod-1'])
  assert.deepEqual([consumer.status, consumer.stderr], [78, ''])
  assert.match(consumer.stdout, /--pipeline is missing/)
})

test('bronze runs in it', options, () => {
  const { stdout, stderr } = inside('/usr/local/bin/bronze', ['--version'])
  assert.equal(stdout, `${(readJson(root, 'package.json') as { version: string }).version}\n`, stderr)
})

test('each module of ours and each package that they use loads', options, () => {
  const modules = globSync(`{${FOLDERS.join()}}/**/*.ts`, { cwd: join(folder, 'first') })
    // Programs would run.
    .filter(path => !isSourceLeftOut(path) && !/(?:^|\/)main\.ts$/.test(path))
    .map(path => `/app/${path}`)
  const { dependencies } = readJson(root, 'package.json') as { dependencies: object }
  const names = [...modules, ...Object.keys(dependencies)]
  mkdirSync(join(unpacked, 'app/test'))
  writeFileSync(join(unpacked, 'app/test/all.ts'), names.map(name => `await import('${name}')\n`).join(''))
  const { status, stderr } = inside('/usr/local/bin/node', ['/app/test/all.ts'])
  assert.equal(status, 0, stderr)
})

test(
  'what is in the image is listed: Debian packages as dpkg would, and everything in a bill of materials',
  options,
  () => {
    for (const name of PACKAGES) {
      const control = readFileSync(join(unpacked, 'var/lib/dpkg/status.d', name), 'utf8')
      assert.match(control, new RegExp(`^Version: ${RegExp.escape(lock.packages[own][name]!.version)}$`, 'm'))
    }
    const bill = readJson(unpacked, 'app/bill-of-materials.cdx.json') as { components: { purl: string }[] }
    const purls = bill.components.map(({ purl }) => purl)
    assert.equal(new Set(purls).size, purls.length)
    const kafka = lockedVersion('@platformatic/kafka')
    for (const wanted of [`pkg:npm/%40platformatic/kafka@${kafka}`, `?arch=${own}`, 'pkg:generic/node@'])
      assert.ok(
        purls.some(purl => purl.includes(wanted)),
        wanted
      )
  }
)

function inside(command: string, args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(
    'chroot',
    ['--userspec=65532:65532', unpacked, command, ...args],
    {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] }
    }
  )
  if (error !== undefined) throw error
  return { status, stdout, stderr }
}

function unpack(architecture: Architecture, target: string): void {
  mkdirSync(target)
  for (const { gzip } of built.images.find(image => image.architecture === architecture)?.layers ?? []) {
    const { status, stderr } = spawnSync('tar', ['-xzpf', '-', '-C', target], { input: gzip, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  }
}

function entriesOf(gzip: Buffer): Entry[] {
  return readTar(spawnSync('gzip', ['-dc'], { input: gzip, maxBuffer: 2 ** 30 }).stdout)
}

const readJson = (folder: string, path: string): unknown => JSON.parse(readFileSync(join(folder, path), 'utf8'))

function lockedVersion(name: string): string | undefined {
  const { packages } = readJson(root, 'package-lock.json') as { packages: Record<string, { version: string }> }
  return packages[`node_modules/${name}`]?.version
}
