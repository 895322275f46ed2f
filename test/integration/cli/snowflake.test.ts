/** The commands on tables in Snowflake, one after another as somebody uses them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startBronze } from '../../fakes/bronze.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake, type Snowflake } from '../../servers/snowflake.ts'

async function fill(bootstrap: string, topic: string): Promise<void> {
  const kafka = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true, maxInFlightRequests: 1 })]
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })
    await producer.connect()
    const messages = Array.from({ length: 300 }, (_, number) => ({ value: JSON.stringify({ number }) }))
    await producer.send({ topic, messages: [...messages, { value: 'not json' }] })
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }
}

const manifest = (name: string, bootstrap: string, account: Snowflake, columns: string): string =>
  `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: numbers}
spec:
  source: {bootstrapServers: ['${bootstrap}'], groupId: ${name}}
  topics: [{name: numbers, topic: ${name}, table: ${name}.numbers, format: Json, columns: [${columns}]}]
  batch: {triggerInterval: 500ms}
  deadLetters: {policy: Table, table: '{table}_dlq'}
  sink:
    snowflake:
      account: ${account.account}
      url: '${account.url}'
      database: ${account.database}
      warehouse: ${account.warehouse}
      role: ${account.role}
      authentication: Password
      credentialsSecretRef: {name: snowflake}
  scaling: {mode: Partitions, maxReplicas: 1}
`

async function workplace(context: TestContext) {
  const [{ bootstrap }, account] = [await sharedKafka(), await sharedSnowflake()]
  const name = `commands_${randomUUID().slice(0, 8)}`
  const folder = await mkdtemp(join(tmpdir(), 'bronze-snowflake-test-'))
  const session = await account.connect()
  context.after(async () => {
    await session.close()
    await rm(folder, { recursive: true, force: true })
  })
  await fill(bootstrap, name)
  await mkdir(join(folder, 'secrets/snowflake'), { recursive: true })
  await writeFile(join(folder, 'secrets/snowflake/user'), account.user)
  await writeFile(join(folder, 'secrets/snowflake/password'), account.password)
  const bronze = async (...args: string[]) => {
    const { ended } = startBronze(context, [...args, '-f', 'pipeline.yaml', '--secrets', 'secrets'], { cwd: folder })
    const outcome = await ended
    assert.ok(!`${outcome.out}${outcome.err}`.includes(account.password))
    return outcome
  }
  return {
    name,
    bronze,
    write: async (columns: string) =>
      await writeFile(join(folder, 'pipeline.yaml'), manifest(name, bootstrap, account, columns)),
    objects: async () => {
      const rows = await session.rows(
        `SELECT TABLE_NAME AS N FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '${name.toUpperCase()}' ORDER BY 1`
      )
      return rows.map(row => Object.values(row)[0])
    }
  }
}

test(
  'tables in Snowflake are created, widened, filled, told and dropped by commands, with a password from a folder',
  { ...need('kafka', 'snowflake'), timeout: 400_000 },
  async context => {
    const { name, bronze, write, objects } = await workplace(context)
    const number = '{name: number, value: /number, type: Long}'
    const done = async (...args: string[]) => {
      const { out, err, code } = await bronze(...args)
      assert.equal(code, 0, `${args.join(' ')}: ${out}${err}`)
      return out
    }
    await write(number)
    const [main, letters] = [`${name}.numbers`, `${name}.numbers_dlq`]
    assert.match(await done('init'), new RegExp(`^${main}: created, \\d+ columns\\n${letters}: created, 4 columns\\n$`))
    assert.equal(await done('init'), `${main}: exists, matches\n${letters}: exists, matches\n`)
    await write(`${number}, {name: note, value: /note, type: String}`)
    assert.match(
      await done('init'),
      new RegExp(`^${main}: columns added: NOTE VARCHAR.*\\n${letters}: exists, matches\\n$`)
    )
    await write('{name: number, value: /number, type: Timestamp}')
    const refused = await bronze('init')
    assert.deepEqual([refused.code, refused.out], [78, ''])
    assert.match(refused.err, new RegExp(`^bronze: ${main}: IncompatibleTable: .*NUMBER`))
    await write(number)
    assert.match(await done('run', '--until-caught-up'), /caught up/i)
    assert.match(await done('status'), new RegExp(`${main} +CaughtUp +2 +0 `))
    assert.match(await done('history'), new RegExp(`\\ntotal +${main} +${name} +300 +1 `))
    const cleaned = await done('clean', '--yes')
    assert.match(cleaned, /\."NUMBERS" +\S+ rows\n.*\."NUMBERS_DLQ" +\S+ rows\n/)
    assert.deepEqual(await objects(), [])
    assert.match((await bronze('history')).err, / is not there\n/)
    assert.match(await done('run', '--until-caught-up'), /caught up/i)
    assert.match(await done('history'), new RegExp(`\\ntotal +${main} +${name} +300 +1 `))
    assert.deepEqual(await objects(), ['NUMBERS', 'NUMBERS_BRONZE_COMMITS', 'NUMBERS_BRONZE_OFFSETS', 'NUMBERS_DLQ'])
  }
)
