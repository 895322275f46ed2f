import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lake } from './world.ts'

const [FIRST, SECOND] = ['shop-consumer-7d9f8b6c5-2xkqp', 'shop-consumer-7d9f8b6c5-8lmzv'] as const

const line = (second: number, level: string, message: string, fields: object = {}) => {
  const time = `2026-11-21T10:58:${String(second).padStart(2, '0')}.100Z`
  return `${time.replace('.100Z', '.100000001Z')} ${JSON.stringify({ time, level, message, ...fields })}`
}

async function withLogs(context: Parameters<typeof lake>[0]) {
  const world = await lake(context)
  world.kube.logs.set(FIRST, {
    lines: [line(1, 'info', 'starting'), line(3, 'warn', 'retrying', { code: 'S3Unavailable', why: 'a b' })]
  })
  world.kube.logs.set(SECOND, {
    lines: [line(2, 'info', 'starting'), '2026-11-21T10:58:04Z FATAL ERROR: heap \u001b[31mout of memory'],
    previous: [line(0, 'error', 'ended')]
  })
  return world
}

test('the logs of all pods come in the order of their times, made for people, and steer no terminal', async context => {
  const { run } = await withLogs(context)
  assert.deepEqual(await run('logs', 'shop'), {
    code: 0,
    out: `2xkqp 10:58:01.100 INFO  starting
8lmzv 10:58:02.100 INFO  starting
2xkqp 10:58:03.100 WARN  retrying code=S3Unavailable why="a b"
8lmzv 10:58:04           FATAL ERROR: heap �[31mout of memory
`,
    err: ''
  })
})

test('levels, pods, previous containers and lines are chosen', async context => {
  const { run, kube } = await withLogs(context)
  assert.match((await run('logs', 'shop', '--level', 'warn')).out, /^2xkqp .* retrying .*\n8lmzv .* FATAL ERROR.*\n$/)
  assert.match((await run('logs', 'shop', '--pod', FIRST, '--tail', '1')).out, /^2xkqp .* retrying .*\n$/)
  assert.match((await run('logs', 'shop', '--pod', '8lmzv', '--previous')).out, /^8lmzv .* ERROR ended\n$/)
  await run('logs', 'shop', '--since', '90s')
  assert.match(kube.requests.at(-1) ?? '', /sinceSeconds=90(?!.*tailLines)/)
  const some = await run('logs', 'shop', '--previous')
  assert.equal(some.code, 1)
  assert.match(some.err, /2xkqp: previous terminated container .* not found/)
  assert.match(some.out, /ended/)
})

test('a pod that waits for a node is said to do so, and the others are shown', async context => {
  const { run, kube } = await withLogs(context)
  kube.logs.set(SECOND, { isOnNoNode: true })
  const { code, out, err } = await run('logs', 'shop')
  assert.deepEqual([code, err], [1, `bronze: ${SECOND}: has no log yet, for it is on no node\n`])
  assert.match(out, /^2xkqp .* starting\n2xkqp .* retrying/)
})

test('-o json gives lines as they were written, with their pod', async context => {
  const { run } = await withLogs(context)
  const { out } = await run('logs', 'shop', '-o', 'json')
  const lines = out
    .trimEnd()
    .split('\n')
    .map(text => JSON.parse(text) as { pod: string; message: string; code?: string })
  assert.deepEqual(
    lines.map(({ pod, message }) => [pod, message]),
    [
      [FIRST, 'starting'],
      [SECOND, 'starting'],
      [FIRST, 'retrying'],
      [SECOND, 'FATAL ERROR: heap \u001b[31mout of memory']
    ]
  )
})

test('-f goes on with new lines, new pods, and with a pod whose log broke off, and tells no line twice', async context => {
  const { bronze, kube } = await withLogs(context)
  const { child, ended } = bronze(['logs', 'shop', '-f', '--tail', '1'])
  let out = ''
  child.stdout.on('data', text => (out += String(text)))
  const seen = async (text: string) => {
    while (!out.includes(text)) await new Promise(resolve => child.stdout.once('data', resolve))
  }
  await seen('retrying')
  await seen('FATAL')
  kube.say(FIRST, line(5, 'info', 'next'))
  await seen('next')
  kube.logs.set(FIRST, { lines: [line(5, 'info', 'next'), line(6, 'info', 'after the break')] })
  kube.hangUp(FIRST)
  await seen('after the break')
  const path = '/api/v1/namespaces/lake/pods'
  const pod = kube.objects.get(`${path}/${FIRST}`)
  kube.logs.set('shop-consumer-7d9f8b6c5-young', { lines: [line(7, 'info', 'hello')] })
  kube.put(path, { ...pod, metadata: { ...pod?.metadata, name: 'shop-consumer-7d9f8b6c5-young' } })
  await seen('hello')
  child.kill('SIGINT')
  const { code, err } = await ended
  assert.deepEqual([code, err], [0, 'bronze: shop-consumer-7d9f8b6c5-young follows\n'])
  assert.equal(out.split('next').length, 2)
})

test('a reader that goes away ends it', async context => {
  const { kube } = await withLogs(context)
  const program = fileURLToPath(new URL('../../../cli/bronze.js', import.meta.url))
  const script = '("$0" "$1" logs shop -f; echo "exit code $?" >&2) | head -1'
  const child = spawn('/bin/sh', ['-c', script, process.execPath, program], { cwd: kube.folder, env: kube.env })
  context.after(() => child.kill('SIGKILL'))
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  // The next line finds nobody who reads it.
  const talking = setInterval(() => kube.say(FIRST, line(9, 'info', 'still there')), 100)
  context.after(() => clearInterval(talking))
  const [out, err] = await output
  assert.deepEqual([out.split('\n').length, err], [2, 'exit code 0\n'])
})
