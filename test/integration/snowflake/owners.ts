import { spawn, type ChildProcess } from 'node:child_process'
import assert from 'node:assert/strict'
import { createPrivateKey, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { sharedKafka } from '../../servers/kafka.ts'
import { freePorts } from '../../servers/process.ts'
import type { SnowflakeClient } from '../../servers/snowflake-client.ts'
import { startSnowflake, type SnowflakeServer } from '../../servers/snowflake.ts'

const repository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** An owner's example with nothing changed but addresses, names of topics and credentials. */
export interface Owner {
  readonly snowflake: SnowflakeServer
  /** In the owner's database, in the time zone UTC. */
  readonly session: SnowflakeClient
  readonly orders: string
  readonly clicks: string
  readonly produce: (topic: string, values: readonly (string | Message)[]) => Promise<void>
  /** Runs the program to its end; what it printed, when it succeeded. */
  readonly bronze: (...args: readonly string[]) => Promise<string>
  /** Starts a consumer as a pod does. */
  readonly run: (topic: string) => Promise<Running>
  /** DESCRIBE TABLE as `NAME TYPE`, in order. */
  readonly columns: (table: string) => Promise<readonly string[]>
  readonly count: (table: string) => Promise<number>
  /** Resolves when the question is answered with true, and fails with what it is when it never is. */
  readonly until: (what: string, question: () => Promise<boolean>) => Promise<void>
}

export interface Message {
  readonly value: string | null
  readonly headers?: Readonly<Record<string, string>>
}

export interface Running {
  /** SIGTERM, and what it has logged; its code must be 0. */
  readonly stop: () => Promise<string>
  /** The sum of a metric's values. */
  readonly metric: (name: string) => Promise<number>
}

const FILE = 'pipeline.yaml'
const SECRETS = 'secrets'
const PASSPHRASE = 'change-me'
const PATIENCE_MS = 180_000

/** `change` works on the manifest's text. */
export async function owner(
  context: TestContext,
  example: 'commerce' | 'flowguard',
  change: (text: string) => string = text => text
): Promise<Owner> {
  const database = example.toUpperCase()
  const [kafka, snowflake] = await Promise.all([sharedKafka(), startSnowflake({ databases: [database] })])
  context.after(snowflake.stop)
  const folder = await mkdtemp(join(tmpdir(), 'bronze-owner-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const id = randomUUID().slice(0, 8)
  const text = readFileSync(repository(`deploy/examples/${example}-snowflake.yaml`), 'utf8')
  const key = keyOf(text, snowflake)
  await writeFile(join(folder, FILE), change(adapt(text, { snowflake, key, bootstrap: kafka.bootstrap, id })))
  // As a pod has them.
  await mkdir(join(folder, SECRETS, 'snowflake'), { recursive: true })
  for (const [name, value] of Object.entries({ user: snowflake.user, privateKey: key, passphrase: PASSPHRASE }))
    await writeFile(join(folder, SECRETS, 'snowflake', name), value)

  const client = new Kafka({ clientId: 'test', brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
  const [admin, producer] = [client.admin(), client.producer()]
  await Promise.all([admin.connect(), producer.connect()])
  context.after(() => Promise.all([admin.disconnect(), producer.disconnect()]))
  const [orders, clicks] = [`raw.orders.v1.${id}`, `raw.clicks.v1.${id}`]
  await admin.createTopics({
    topics: [orders, clicks].map(topic => ({ topic, numPartitions: 1 })),
    waitForLeaders: true
  })

  const session = await snowflake.connect({ database, parameters: { TIMEZONE: 'UTC' } })
  const start = (script: string, args: readonly string[]): Program => {
    const child = spawn(process.execPath, [repository(script), ...args], { cwd: folder })
    context.after(() => child.kill('SIGKILL'))
    return programOf(child)
  }
  return {
    snowflake,
    session,
    orders,
    clicks,
    produce: async (topic, values) => {
      const messages = values.map(value =>
        typeof value === 'string' ? { value } : { ...value, headers: { ...value.headers } }
      )
      await producer.send({ topic, messages })
    },
    bronze: async (...args) => await start('cli/bronze.js', [...args, '-f', FILE]).ended(),
    run: async topic => {
      const [port = 0] = await freePorts(1)
      const flags = { pipeline: FILE, secrets: SECRETS, instance: 'owner-0', port, topic }
      const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
      const program = start('consumer/main.ts', args)
      return {
        stop: async () => {
          program.child.kill('SIGTERM')
          return await program.ended()
        },
        metric: async name => {
          const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
          const values = page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))
          return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
        }
      }
    },
    columns: async table => (await session.rows(`DESCRIBE TABLE ${table}`)).map(row => `${row['name']} ${row['type']}`),
    count: async table => Number((await session.rows(`SELECT COUNT(*) AS N FROM ${table}`))[0]?.['N']),
    until
  }
}

/** Encrypted, where the example's is. */
function keyOf(text: string, { privateKey }: SnowflakeServer): string {
  const encryption = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const
  return text.includes('BEGIN ENCRYPTED') ? createPrivateKey(privateKey).export(encryption).toString() : privateKey
}

interface Addresses {
  readonly snowflake: SnowflakeServer
  readonly key: string
  readonly bootstrap: string
  readonly id: string
}

function adapt(text: string, { snowflake, key, bootstrap, id }: Addresses): string {
  return text
    .replace(/kafka\.\w+\.svc:9092/, bootstrap)
    .replaceAll(/raw\.(orders|clicks)\.v1/g, `raw.$1.v1.${id}`)
    .replace('    startFrom:', `    groupId: owner-${id}\n    startFrom:`)
    .replace(/account: acme-analytics/, `account: ${snowflake.account}\n      url: ${snowflake.url}`)
    .replace(/user: \w+/, `user: ${snowflake.user}`)
    .replace(/ {4}-----BEGIN[^]*?END (?:ENCRYPTED )?PRIVATE KEY-----\n/, key.replaceAll(/^(?=.)/gm, '    '))
}

interface Program {
  readonly child: ChildProcess
  readonly ended: () => Promise<string>
}

function programOf(child: ChildProcess): Program {
  let output = ''
  const note = (chunk: Buffer) => (output += chunk.toString())
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  const closed = once(child, 'close') as Promise<[number | null]>
  return {
    child,
    ended: async () => {
      const [code] = await closed
      assert.equal(code, 0, `${child.spawnargs.slice(2).join(' ')}\n${output}`)
      return output
    }
  }
}

async function until(what: string, question: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !(await question().catch(() => false));) {
    assert.ok(performance.now() < deadline, `not after ${PATIENCE_MS / 1000} s: ${what}`)
    await wait(200)
  }
}
