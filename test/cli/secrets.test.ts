import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { layOutSecrets, readSecret } from '../../cli/secrets.ts'
import { FatalError, errorText } from '../../lib/errors.ts'
import { secretFolder } from '../../lib/secrets.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-secrets-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const secret = (fields: object, name = 'kafka-user') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  ...fields
})

test('a Secret gives its values from data and stringData, the latter going first', () => {
  const read = readSecret(
    secret({ data: { password: 'b2xk', username: 'YWxpY2U=' }, stringData: { password: 'new' } }),
    'a.yaml'
  )
  assert.equal(read?.namespace, 'default')
  assert.equal(read?.values.get('username')?.toString(), 'alice')
  assert.equal(read?.values.get('password')?.toString(), 'new')
})

test('other documents are no Secrets', () => {
  for (const other of [undefined, null, 'x', [], {}, { kind: 'Secret' }, { apiVersion: 'v1', kind: 'ConfigMap' }]) {
    assert.equal(readSecret(other, 'a.yaml'), undefined)
  }
})

test('a Secret that could leave its folder or is malformed is refused without a word of its value', () => {
  const hostile = [
    secret({ stringData: { a: 'hush' } }, '../etc'),
    secret({ stringData: { a: 'hush' } }, '.'),
    secret({ stringData: { '..': 'hush' } }),
    secret({ stringData: { '../../x': 'hush' } }),
    secret({ stringData: { 'a/b': 'hush' } }),
    secret({ stringData: { pin: 1234 } }),
    secret({ data: { a: 'hush!' } }),
    secret({ data: ['hush'] }),
    { ...secret({}), metadata: {} }
  ]
  for (const document of hostile) {
    assert.throws(
      () => readSecret(document, 'a.yaml document 2'),
      (error: unknown) => {
        assert.ok(error instanceof FatalError)
        assert.match(error.message, /^a\.yaml document 2: /)
        return !/hush|1234/.test(errorText(error))
      },
      JSON.stringify(document)
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
  const document = readSecret(secret({ stringData: { password: 'p w' } }), 'a.yaml')
  await layOutSecrets(target, document === undefined ? [] : [document], more)
  const read = secretFolder(target)
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
  assert.equal(
    await readFile(join(more, 'kafka-ca/ca.crt'), 'utf8'),
    'from the folder\n',
    'links are removed, not followed'
  )
})

test('a folder of Secrets that is not there is named', async () => {
  await assert.rejects(
    layOutSecrets(join(folder, 'x'), [], join(folder, 'nowhere')),
    /--secrets .*nowhere cannot be read/
  )
})
