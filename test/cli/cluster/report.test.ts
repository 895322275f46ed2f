import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lake } from './world.ts'

const SECRET = 'correct-horse-battery'
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'

async function reported(context: Parameters<typeof lake>[0]) {
  const world = await lake(context)
  const { kube } = world
  const data = {
    accessKeyId: Buffer.from('key-of-minio').toString('base64'),
    secret: Buffer.from(SECRET).toString('base64')
  }
  kube.put('/api/v1/namespaces/lake/secrets', { kind: 'Secret', metadata: { name: 'minio', namespace: 'lake' }, data })
  kube.logs.set('shop-consumer-7d9f8b6c5-2xkqp', { lines: [`2026-11-21T10:58:01Z said ${SECRET} and ${TOKEN}`] })
  kube.logs.set('shop-consumer-7d9f8b6c5-8lmzv', {
    lines: ['2026-11-21T10:58:01Z now'],
    previous: ['2026-11-21T10:57:01Z then']
  })
  return world
}

test('an archive has all that helps, unpacks anywhere, and holds no credential in any form', async context => {
  const { run, kube } = await reported(context)
  const { code, out, err } = await run('report', 'shop', '-o', 'r.tar.gz')
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /written to r\.tar\.gz: look through it/)
  const unpacked = spawnSync('tar', ['-xzf', 'r.tar.gz', '--strip-components=1'], {
    cwd: kube.folder,
    encoding: 'utf8'
  })
  assert.equal(unpacked.status, 0, unpacked.stderr)
  const listed = out.split('\n').flatMap(line => /^(\S+) {3}\d/.exec(line)?.[1] ?? [])
  const texts = new Map(listed.map(path => [path, readFileSync(join(kube.folder, path), 'utf8')]))
  for (const path of [
    'status.txt',
    'pipeline.json',
    'objects/pods.json',
    'events/pipeline.json',
    'cluster/version.txt'
  ]) {
    assert.ok(texts.has(path), `${path} is missing in ${listed.join(', ')}`)
  }
  assert.equal(texts.get('secrets.txt'), 'minio: keys accessKeyId, secret\n')
  assert.equal(texts.get('logs/shop-consumer-7d9f8b6c5-2xkqp.log'), 'said [redacted] and [redacted]\n')
  assert.equal(texts.get('logs/shop-consumer-7d9f8b6c5-8lmzv.previous.log'), 'then\n')
  assert.match(texts.get('metrics/shop-consumer-7d9f8b6c5-2xkqp.txt') ?? '', /bronze_assigned_partitions 2/)
  assert.match(texts.get('missing.txt') ?? '', /metrics\/shop-consumer-7d9f8b6c5-8lmzv\.txt: no endpoints/)
  const whole = [...texts.values()].join('\n')
  for (const secret of [SECRET, 'key-of-minio', TOKEN, Buffer.from(SECRET).toString('base64')]) {
    assert.ok(!whole.includes(secret), secret)
  }
})

test('a place that cannot be written to is said before the cluster is asked', async context => {
  const { run, kube } = await reported(context)
  for (const output of ['nowhere/r.tgz', 'config/r.tgz']) {
    const before = kube.requests.length
    const { code, err } = await run('report', 'shop', '-o', output)
    assert.deepEqual([code, kube.requests.length], [2, before], err)
    assert.match(err, new RegExp(`^bronze: ${output} cannot be written: E`))
  }
})

test('what may not be read is named, and the rest is written; an old report stays', async context => {
  const { run, kube } = await reported(context)
  for (const what of ['get secrets', 'list events', 'get pods/log']) kube.forbidden.add(what)
  const { code } = await run('report', 'shop', '-o', 'folder')
  assert.equal(code, 0)
  const read = (path: string) => readFileSync(join(kube.folder, 'folder', path), 'utf8')
  assert.equal(read('secrets.txt'), 'minio: not readable by you\n')
  assert.match(read('missing.txt'), /^events\/pipeline\.json: .*cannot list/m)
  assert.match(read('missing.txt'), /^logs\/shop-consumer-7d9f8b6c5-2xkqp\.log: .*cannot get/m)
  assert.match(read('status.txt'), /^lake\/shop /)
  const again = await run('report', 'shop', '-o', 'folder')
  assert.deepEqual([again.code, /is there already/.test(again.err)], [2, true])
})
