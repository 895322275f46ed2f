// What a sink needs of Snowflake's SQL and protocol, as the stand-in has it.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { need } from '../../servers/need.ts'
import { SnowflakeRefusal, type SnowflakeClient } from '../../servers/snowflake-client.ts'
import { sharedSnowflake, startSnowflake, type Snowflake } from '../../servers/snowflake.ts'

const needed = { ...need('snowflake'), timeout: 300_000 }

test('passwords, key pairs and tokens open sessions, wrong ones do not', needed, async () => {
  const snowflake = await sharedSnowflake()
  const { user, password, token } = snowflake
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const good = [
    { LOGIN_NAME: user, PASSWORD: password },
    { AUTHENTICATOR: 'SNOWFLAKE_JWT', TOKEN: jwtOf(snowflake, snowflake.privateKey, 60) },
    { AUTHENTICATOR: 'OAUTH', TOKEN: token }
  ]
  for (const login of good) await (await snowflake.connect({ login })).close()
  const bad: readonly (readonly [string, Record<string, string>])[] = [
    ['390100', { LOGIN_NAME: user, PASSWORD: 'wrong' }],
    ['390144', { AUTHENTICATOR: 'SNOWFLAKE_JWT', TOKEN: jwtOf(snowflake, String(other), 60) }],
    ['390144', { AUTHENTICATOR: 'SNOWFLAKE_JWT', TOKEN: jwtOf(snowflake, snowflake.privateKey, -60) }],
    ['390303', { AUTHENTICATOR: 'OAUTH', TOKEN: 'wrong' }]
  ]
  for (const [code, login] of bad) await refused(code, snowflake.connect({ login }))
})

test('a request that is repeated with its id has its effect once', needed, async context => {
  const session = await open(context)
  await session.query('CREATE TABLE T (N NUMBER)')
  const id = randomUUID()
  const answers = await Promise.all([
    session.send(id, 'INSERT INTO T SELECT 1'),
    session.send(id, 'INSERT INTO T SELECT 1')
  ])
  assert.equal(answers[0].queryId, answers[1].queryId)
  assert.deepEqual(await session.rows('SELECT COUNT(*) AS N FROM T'), [{ N: '1' }])
})

test('a statement that takes long is answered later', needed, async context => {
  const server = await startSnowflake({ detachSeconds: 0.1 })
  context.after(server.stop)
  const session = await server.connect()
  assert.equal((await session.query('CALL SYSTEM$WAIT(1)')).rows.length, 1)
})

test('DESCRIBE and INFORMATION_SCHEMA name types as Snowflake does', needed, async context => {
  const session = await open(context)
  await session.query(
    'CREATE TABLE T (A INT NOT NULL, B NUMBER(10,2), C VARCHAR, D VARCHAR(7), E TIMESTAMP_NTZ, F VARIANT, "g" FLOAT, H BINARY, I DATE, J TIME, K BOOLEAN)'
  )
  const described = await session.rows('DESCRIBE TABLE T')
  assert.deepEqual(
    described.map(row => `${row['name']} ${row['type']} ${row['null?']}`),
    [
      'A NUMBER(38,0) N',
      'B NUMBER(10,2) Y',
      'C VARCHAR(16777216) Y',
      'D VARCHAR(7) Y',
      'E TIMESTAMP_NTZ(9) Y',
      'F VARIANT Y',
      'g FLOAT Y',
      'H BINARY(8388608) Y',
      'I DATE Y',
      'J TIME(9) Y',
      'K BOOLEAN Y'
    ]
  )
  const columns = await session.rows(
    `SELECT DATA_TYPE, CHARACTER_MAXIMUM_LENGTH AS L, NUMERIC_PRECISION AS P FROM LAKE.INFORMATION_SCHEMA.COLUMNS
     WHERE TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLE_NAME = 'T' ORDER BY ORDINAL_POSITION LIMIT 5`
  )
  assert.deepEqual(
    columns.map(row => [row['DATA_TYPE'], row['L'], row['P']]),
    [
      ['NUMBER', null, '38'],
      ['NUMBER', null, '10'],
      ['TEXT', '16777216', null],
      ['TEXT', '7', null],
      ['TIMESTAMP_NTZ', null, null]
    ]
  )
  await session.query('ALTER TABLE T ADD COLUMN IF NOT EXISTS L VARCHAR, IF NOT EXISTS A VARCHAR')
  assert.equal((await session.rows('DESCRIBE TABLE T')).length, 12)
  await refused('002023', session.query("INSERT INTO T (A, F) SELECT 1, '{}'"))
  await refused('100078', session.query("INSERT INTO T (A, D) SELECT 1, '12345678'"))
})

test('JSON is read as Snowflake reads it', needed, async context => {
  const session = await open(context)
  const one = async (expression: string, ...binds: string[]) =>
    (await session.rows(`SELECT ${expression} AS X`, ...binds))[0]?.['X']
  assert.equal(await one('TRY_PARSE_JSON(?)', '{"a":1.50}'), '{"a":1.50}')
  for (const text of ['', ' ', '{', '{"a":1,"a":2}', '[{"x":{"b":1,"b":1}}]', 'NaN']) {
    assert.equal(await one('TRY_PARSE_JSON(?)', text), null, text)
  }
  assert.equal(await one("TRY_PARSE_JSON('null') IS NULL"), '0')
  assert.equal(await one("PARSE_JSON('null')::VARCHAR"), null)
  assert.equal(
    await one(`PARSE_JSON(?):"a"."b"[1]::NUMBER(38,0)`, '{"a":{"b":[1,12345678901234567890123]}}'),
    '12345678901234567890123'
  )
  assert.equal(await one(`PARSE_JSON('{"a":null}'):a IS NULL`), '0')
  assert.equal(await one(`PARSE_JSON('{"a":null}'):b IS NULL`), '1')
  assert.equal(await one("OBJECT_CONSTRUCT('a', NULL, 'b', 'x', 'c', PARSE_JSON('null'))"), '{"b":"x","c":null}')
  assert.equal(await one("TRY_BASE64_DECODE_STRING('/w==')"), null)
  assert.equal(await one("TO_BINARY('AAEC', 'BASE64')"), '000102')
  await refused('100069', session.query("SELECT PARSE_JSON('{')"))
  const flattened = `SELECT F.INDEX AS I, F.VALUE:"n"::NUMBER(38,0) AS N, F.VALUE:"t"::VARCHAR::TIMESTAMP_NTZ AS T
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F ORDER BY I`
  assert.deepEqual(await session.rows(flattened, '[{"n":"7","t":"1970-01-01T00:00:01.000002Z"},{"n":null}]'), [
    { I: '0', N: '7', T: '1.000002000' },
    { I: '1', N: null, T: null }
  ])
})

test('COPY loads what a SELECT makes of staged files, in the transaction', needed, async context => {
  const session = await open(context)
  await session.query('CREATE STAGE ST')
  const lines = '{"id":1,"v":{"a":null}}\n{"id":"2","v":"x"}\n'
  await session.put('@ST', 'a.zst', zstdCompressSync(Buffer.from(lines)))
  await session.put('@ST', 'b.gz', gzipSync(lines))
  const listed = await session.rows('LIST @ST')
  assert.deepEqual(
    listed.map(row => row['name']),
    ['st/a.zst', 'st/b.gz']
  )
  await session.query('CREATE OR REPLACE TEMPORARY TABLE B (ID NUMBER(38,0), V VARIANT)')
  const copy = (file: string, compression: string) =>
    `COPY INTO B (ID, V) FROM (SELECT $1:"id"::NUMBER(38,0), $1:"v" FROM @ST) FILES = ('${file}')
     FILE_FORMAT = (TYPE = JSON COMPRESSION = ${compression}) ON_ERROR = ABORT_STATEMENT`
  await session.query('BEGIN')
  const [loaded] = await session.rows(copy('a.zst', 'ZSTD'))
  assert.deepEqual([loaded?.['file'], loaded?.['status'], loaded?.['rows_loaded']], ['st/a.zst', 'LOADED', '2'])
  await session.query('ROLLBACK')
  assert.deepEqual(await session.rows('SELECT * FROM B'), [])
  await session.query(copy('b.gz', 'GZIP'))
  assert.deepEqual(await session.rows('SELECT * FROM B ORDER BY ID'), [
    { ID: '1', V: '{"a":null}' },
    { ID: '2', V: '"x"' }
  ])
  await refused('091016', session.query(copy('none.zst', 'ZSTD')))
  await session.put('@ST', 'bad.gz', gzipSync('{"id":"x"}\n'))
  await refused('100038', session.query(copy('bad.gz', 'GZIP')))
  assert.equal((await session.rows("REMOVE '@ST/a.zst'")).length, 1)
  assert.equal((await session.rows('LIST @ST')).length, 2)
})

test('COPY into a table does not load a file twice', needed, async context => {
  const session = await open(context)
  await session.query('CREATE STAGE ST')
  await session.query('CREATE TABLE T (V VARIANT)')
  await session.put('@ST', 'a.json', Buffer.from('{"a":1}\n'))
  const copy = "COPY INTO T FROM @ST FILES = ('a.json') FILE_FORMAT = (TYPE = JSON)"
  assert.equal((await session.rows(copy))[0]?.['rows_loaded'], '1')
  assert.equal((await session.rows(copy))[0]?.['status'], 'Copy executed with 0 files processed.')
})

test('a temporary table is its session’s own', needed, async context => {
  const session = await open(context)
  const [{ S: schema } = { S: null }] = await session.rows('SELECT CURRENT_SCHEMA() AS S')
  const other = await (await sharedSnowflake()).connect({ schema: String(schema) })
  await session.query('CREATE TEMPORARY TABLE B (N NUMBER)')
  await refused('002003', other.query('SELECT * FROM B'))
  await other.query('CREATE TEMPORARY TABLE B (X VARCHAR)')
  assert.deepEqual(await session.rows('SELECT N FROM B'), [])
  await other.close()
})

test('MERGE tells what it inserted and updated, and refuses rows that match twice', needed, async context => {
  const session = await open(context)
  await session.query('CREATE TABLE T (K NUMBER, N NUMBER)')
  const merge = `MERGE INTO T USING (SELECT F.VALUE:"k"::NUMBER AS K, F.VALUE:"n"::NUMBER AS N
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F) AS S ON T.K = S.K
    WHEN MATCHED THEN UPDATE SET T.N = S.N WHEN NOT MATCHED THEN INSERT (K, N) VALUES (S.K, S.N)`
  await session.query(merge, '[{"k":1,"n":1}]')
  assert.deepEqual(await session.rows(merge, '[{"k":1,"n":2},{"k":2,"n":2}]'), [
    { 'number of rows inserted': '1', 'number of rows updated': '1' }
  ])
  await refused('100090', session.query(merge, '[{"k":1,"n":2},{"k":1,"n":3}]'))
})

test('a warehouse is suspended and resumed, and a query resumes it', needed, async context => {
  const server = await startSnowflake({ warehouses: ['OTHER'] })
  context.after(server.stop)
  const session = await server.connect()
  const state = async () => (await session.rows("SHOW WAREHOUSES LIKE 'INGEST'"))[0]?.['state']
  assert.equal(await state(), 'STARTED')
  await session.query('ALTER WAREHOUSE INGEST SUSPEND')
  assert.equal(await state(), 'SUSPENDED')
  await session.query('SELECT 1')
  assert.equal(await state(), 'STARTED')
})

/** A session in a new schema. */
async function open(context: TestContext): Promise<SnowflakeClient> {
  const session = await (await sharedSnowflake()).connect()
  await session.query(`CREATE SCHEMA T${randomUUID().replaceAll('-', '')}`)
  context.after(() => session.close())
  return session
}

async function refused(code: string, running: Promise<unknown>): Promise<void> {
  await assert.rejects(running, (error: unknown) => {
    assert.ok(error instanceof SnowflakeRefusal, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

function jwtOf({ account, user }: Snowflake, privateKey: string, lifeSeconds: number): string {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const subject = `${account.toUpperCase()}.${user}`
  const now = Math.floor(Date.now() / 1000)
  const fingerprint = createHash('sha256').update(spki).digest('base64')
  const claims = { iss: `${subject}.SHA256:${fingerprint}`, sub: subject, iat: now, exp: now + lifeSeconds }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`
}
