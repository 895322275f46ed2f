import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { archiveOf, fullName, layerOf, type Image } from '../../../deploy/image/oci.ts'
import { file, readTar } from '../../../deploy/image/tar.ts'

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: object
  readonly annotations?: Readonly<Record<string, string>>
}

const run = { user: '1:1', workingDir: '/app', env: ['A=B'], cmd: ['node'], labels: { a: 'b' } }
const shared = layerOf('shared', [file('shared', 'same for all')])
const image = (architecture: string): Image => ({
  architecture,
  run,
  layers: [layerOf('own', [file('own', architecture)]), shared]
})

const archive = archiveOf([image('amd64'), image('arm64')], 'team/bronze:1')
const files = new Map(readTar(archive.bytes).map(({ path, bytes }) => [path, bytes]))
const json = (path: string): unknown => JSON.parse(files.get(path)?.toString() ?? 'null')
const blob = ({ digest }: Descriptor) => `blobs/${digest.replace(':', '/')}`

test('every blob lies where its digest says, with the size that its descriptor says', () => {
  for (const [path, bytes] of files) {
    if (!path.startsWith('blobs/sha256/') || bytes.length === 0) continue
    assert.equal(path, `blobs/sha256/${createHash('sha256').update(bytes).digest('hex')}`)
  }
  const [index] = (json('index.json') as { manifests: Descriptor[] }).manifests
  assert.ok(index)
  assert.equal(index.digest, archive.digest)
  const { manifests } = json(blob(index)) as { manifests: Descriptor[] }
  assert.deepEqual(
    manifests.map(({ platform }) => platform),
    ['amd64', 'arm64'].map(architecture => ({ architecture, os: 'linux' }))
  )
  for (const descriptor of manifests) {
    const { config, layers } = json(blob(descriptor)) as { config: Descriptor; layers: Descriptor[] }
    for (const each of [descriptor, config, ...layers]) assert.equal(files.get(blob(each))?.length, each.size)
    const { rootfs } = json(blob(config)) as { rootfs: { diff_ids: string[] } }
    const unpacked = layers.map(layer => gunzipSync(files.get(blob(layer)) ?? Buffer.alloc(0)))
    assert.deepEqual(
      rootfs.diff_ids,
      unpacked.map(tar => `sha256:${createHash('sha256').update(tar).digest('hex')}`)
    )
  }
})

test('containerd and docker find it under its name', () => {
  const [index] = (json('index.json') as { manifests: Descriptor[] }).manifests
  assert.deepEqual(index?.annotations, {
    'io.containerd.image.name': 'docker.io/team/bronze:1',
    'org.opencontainers.image.ref.name': '1'
  })
  const [forDocker] = json('manifest.json') as { Config: string; RepoTags: string[]; Layers: string[] }[]
  assert.deepEqual(forDocker?.RepoTags, ['team/bronze:1'])
  assert.equal((json(forDocker.Config) as { architecture: string }).architecture, 'amd64')
  assert.ok(forDocker.Layers.every(path => files.has(path)))
})

test('a layer that platforms share is there once', () => {
  const layers = [...files.keys()].filter(path => path.startsWith('blobs/sha256/')).length
  // One index, two manifests, two configurations, two own layers, one shared one.
  assert.equal(layers, 8)
})

test('the same again gives the same bytes; no gzip header tells a time or a system', () => {
  const again = archiveOf([image('amd64'), image('arm64')], 'team/bronze:1')
  assert.ok(archive.bytes.equals(again.bytes))
  assert.deepEqual([...shared.gzip.subarray(4, 8), shared.gzip[9]], [0, 0, 0, 0, 255])
})

test('names are completed as Docker does; what is no name is refused', () => {
  assert.equal(fullName('bronze:1'), 'docker.io/library/bronze:1')
  assert.equal(fullName('team/bronze:1'), 'docker.io/team/bronze:1')
  assert.equal(fullName('registry.example:5000/a/b:1'), 'registry.example:5000/a/b:1')
  assert.equal(fullName('localhost/b:1'), 'localhost/b:1')
  for (const name of ['bronze', 'Bronze:1', 'a b:1', 'bronze:', 'a//b:1', 'bronze@sha256:1'])
    assert.throws(() => fullName(name), /is not NAME:TAG/)
})
