import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { layOutSecrets } from '../../cli/secrets.ts'
import { readPipelines, type SecretDocument } from '../../crds/documents.ts'
import { FatalError, errorText } from '../../lib/errors.ts'
import { secretFolder } from '../../lib/secrets.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-secrets-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const secret = (key: string, value: string, name = 'kafka-user'): SecretDocument => ({
  name,
  namespace: undefined,
  data: new Map([[key, Buffer.from(value)]])
})

test('a Secret that could leave its folder is refused without a word of its value', async () => {
  const hostile = [
    ...['../etc', '.', '..', 'a/b', '', 'A'].map(name => secret('key', 'hush', name)),
    ...['..', '.', '..data', '../../x', 'a/b', 'a\\b', ''].map(key => secret(key, 'hush'))
  ]
  for (const document of hostile) {
    await assert.rejects(
      layOutSecrets(join(folder, 'hostile'), [document]),
      (error: unknown) => error instanceof FatalError && !errorText(error).includes('hush'),
      JSON.stringify([document.name, ...document.data.keys()])
    )
  }
})

test('Secrets lie as in a pod, private, with those of a folder beside them and documents first', async () => {
  const more = join(folder, 'more')
  for (const name of ['kafka-user', 'kafka-ca']) {
    await mkdir(join(more, name), { recursive: true })
    await writeFile(join(more, name, 'ca.crt'), 'from the folder\n')
  }
  const target = join(folder, 'target')
  const { secrets } = readPipelines(
    `{apiVersion: v1, kind: Secret, metadata: {name: kafka-user}, data: {username: YWxpY2U=}, stringData: {password: p w}}`,
    'a.yaml'
  )
  await layOutSecrets(target, secrets, more)
  const read = secretFolder(target)
  assert.equal(await read('kafka-user', 'username'), 'alice')
  assert.equal(await read('kafka-user', 'password'), 'p w')
  assert.equal(await read('kafka-user', 'ca.crt'), undefined)
  assert.equal(await read('kafka-ca', 'ca.crt'), 'from the folder')
  if (process.platform === 'win32') return
  for (const [path, mode] of [
    ['', 0o700],
    ['kafka-user', 0o700],
    ['kafka-user/password', 0o600]
  ] as const) {
    assert.equal((await stat(join(target, path))).mode & 0o777, mode, path)
  }
  await rm(target, { recursive: true })
  assert.equal(await readFile(join(more, 'kafka-ca/ca.crt'), 'utf8'), 'from the folder\n', 'links are not followed')
})

test('a folder of Secrets that is not there is named', async () => {
  await assert.rejects(
    layOutSecrets(join(folder, 'x'), [], join(folder, 'nowhere')),
    /--secrets .*nowhere cannot be read/
  )
})
