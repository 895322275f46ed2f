import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import { DEPLOYMENTS, KubeError, PIPELINES, PODS } from '../../../operator/kube/kube.ts'
import { serveHttp } from '../../fakes/http-server.ts'
import { type Answer, events, listOf, object, refusal } from '../api-server.ts'

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly contentType: string | undefined
  readonly body: unknown
}

const noStop = () => new AbortController().signal

async function given(context: TestContext, answers: readonly Answer[], impatience = {}) {
  const asked: Asked[] = []
  const slept: number[] = []
  const clock: Clock = { now: () => 0, random: () => 0, sleep: async ms => void slept.push(ms) }
  const server = await serveHttp(context, (request, response) => {
    void answer(request, response, asked, answers[Math.min(asked.length, answers.length - 1)]!)
  })
  return {
    client: new KubeClient({ server, token: async () => 'secret' }, clock, impatience),
    asked,
    slept
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, asked: Asked[], give: Answer): Promise<void> {
  let text = ''
  const url = new URL(request.url ?? '/', 'http://x')
  const entry = { method: request.method, url: request.url, contentType: request.headers['content-type'] }
  // Counted before the body is read: two requests must not get the same answer.
  const at = asked.push({ ...entry, body: undefined }) - 1
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) text += chunk
  asked[at] = { ...entry, body: text === '' ? undefined : JSON.parse(text) }
  give(response, request, url)
}

const json =
  (value: object): Answer =>
  response =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

async function rejection(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error
  )
  assert.ok(error instanceof KubeError, String(error))
  return error
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = []
  for await (const item of items) seen.push(item)
  return seen
}

const limit = { timeout: 10_000 }

test('an apply is server-side, strict and forced, and may be dry or of a subresource', limit, async context => {
  const { client, asked } = await given(context, [json(object('a', '2'))])
  const scale = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'n', name: 'a' } }
  await client.apply(DEPLOYMENTS, scale, { dryRun: true, fieldManager: 'cli', subresource: 'scale' })
  const url = new URL(asked[0]!.url!, 'http://x')
  assert.equal(url.pathname, '/apis/apps/v1/namespaces/n/deployments/a/scale')
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    fieldManager: 'cli',
    force: 'true',
    fieldValidation: 'Strict',
    dryRun: 'All'
  })
  assert.equal(asked[0]!.contentType, 'application/apply-patch+yaml')
})

test('a merge patch names the very object when its uid is given', limit, async context => {
  const { client, asked } = await given(context, [json(object('a', '2'))])
  const name = { namespace: 'n', name: 'shop' }
  await client.mergePatch(PIPELINES, name, { spec: { suspend: true } })
  await client.mergePatch(PIPELINES, { ...name, uid: 'u1' }, { metadata: { labels: { a: 'b' } } })
  assert.deepEqual(asked[0], {
    method: 'PATCH',
    url: '/apis/bronze.dev/v1alpha1/namespaces/n/bronzepipelines/shop?fieldManager=bronze-operator&fieldValidation=Strict',
    contentType: 'application/merge-patch+json',
    body: { spec: { suspend: true } }
  })
  assert.deepEqual(asked[1]!.body, { metadata: { labels: { a: 'b' }, uid: 'u1' } })
})

test('a log is given line by line, the last without a line end too', limit, async context => {
  const { client, asked } = await given(context, [
    response => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('one\ntw')
      setImmediate(() => response.end('o\nthree'))
    }
  ])
  const options = { container: 'consumer', follow: true, tailLines: 5, previous: false }
  assert.deepEqual(await all(client.podLog('n', 'a-0', options, noStop())), ['one', 'two', 'three'])
  const query = 'container=consumer&follow=true&tailLines=5&previous=false'
  assert.equal(asked[0]!.url, `/api/v1/namespaces/n/pods/a-0/log?${query}`)
})

test('the version is what the server calls itself', limit, async context => {
  const { client } = await given(context, [json({ major: '1', gitVersion: 'v1.36.3' })])
  assert.equal(await client.version(), 'v1.36.3')
})

test('a throttled write waits as long as it is asked to and goes again, five times in all', limit, async context => {
  const { client, asked, slept } = await given(context, [refusal(429, { 'retry-after': '2' })])
  const { status } = await rejection(client.create(PODS, { ...pod, metadata: { namespace: 'n', name: 'a' } }))
  assert.equal(status, 429)
  assert.equal(asked.length, 5)
  assert.deepEqual(slept, [2000, 2000, 2000, 2000])
})

test('how long to wait is also read from the body of the refusal', limit, async context => {
  const told: Answer = response =>
    void response.writeHead(429).end(JSON.stringify({ message: 'busy', details: { retryAfterSeconds: 3 } }))
  const { client, slept } = await given(context, [told, json(object('a', '1'))])
  await client.get(PODS, 'n', 'a')
  assert.deepEqual(slept, [3000])
})

test('a call whose signal aborts fails as a call without an answer', limit, async context => {
  const { client } = await given(context, [() => {}])
  const stop = new AbortController()
  const failing = rejection(client.get(PODS, 'n', 'a', { signal: stop.signal }))
  await wait(10)
  stop.abort()
  assert.equal((await failing).status, 0)
})

test('a call that waits for a throttling server ends with its signal', limit, async context => {
  const { client, asked } = await given(context, [refusal(429)])
  const signal = AbortSignal.abort()
  assert.equal((await rejection(client.get(PODS, 'n', 'a', { signal }))).status, 0)
  assert.ok(asked.length <= 1)
})

test('pages come without managed fields, with the kind that a list leaves out', limit, async context => {
  const { client } = await given(context, [listOf('10', [{ metadata: { name: 'a', managedFields: [{}] } }], 'more')])
  const page = await client.list(PODS, { namespace: 'n' }, undefined, noStop())
  assert.deepEqual(page, {
    items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }],
    resourceVersion: '10',
    next: 'more'
  })
})

test('an event ERROR carries its code and how long to wait', limit, async context => {
  const error = { type: 'ERROR', object: { code: 429, message: 'busy', details: { retryAfterSeconds: 4 } } }
  const { client } = await given(context, [events([error], 'end')])
  const [event] = await all(client.watch(PODS, { namespace: 'n' }, FROM, noStop()))
  assert.ok(event?.type === 'ERROR')
  assert.deepEqual([event.error.status, event.error.retryAfterMs], [429, 4000])
})

test('an event that arrives byte by byte is one event, however slowly it comes', limit, async context => {
  const line = `${JSON.stringify({ type: 'ADDED', object: object('ä', '11') })}\n`
  const { client } = await given(context, [
    async response => {
      response.writeHead(200)
      for (const byte of Buffer.from(line + line)) {
        response.write(Buffer.of(byte))
        await wait(1)
      }
      response.end()
    }
  ])
  const seen = await all(client.watch(PODS, { namespace: 'n' }, FROM, noStop()))
  assert.deepEqual(
    seen.map(event => event.type !== 'ERROR' && event.object.metadata.name),
    ['ä', 'ä']
  )
})

test('a watch that has spoken and falls silent in the middle of a line breaks off', limit, async context => {
  const { client } = await given(
    context,
    [
      response => {
        response.writeHead(200)
        response.write(`${JSON.stringify({ type: 'ADDED', object: object('a', '11') })}\n{"type":"AD`)
      }
    ],
    { watchIdleMs: 30 }
  )
  const { status, message } = await rejection(all(client.watch(PODS, { namespace: 'n' }, FROM, noStop())))
  assert.deepEqual([status, message], [0, 'GET /api/v1/namespaces/n/pods broke off'])
})

test('a server that takes a watch, a read or a list and never answers is given up', limit, async context => {
  const { client } = await given(context, [() => {}], { timeoutMs: 200 })
  assert.equal((await rejection(all(client.watch(PODS, { namespace: 'n' }, FROM, noStop())))).status, 0)
  assert.equal((await rejection(client.get(PODS, 'n', 'a'))).status, 0)
  assert.equal((await rejection(client.list(PODS, { namespace: 'n' }, undefined, noStop()))).status, 0)
})

test('an event cut off in its middle is not taken', limit, async context => {
  const { client } = await given(context, [response => void response.writeHead(200).end('{"type":"ADDED","obj')])
  assert.equal((await rejection(all(client.watch(PODS, { namespace: 'n' }, FROM, noStop())))).status, 0)
})

const FROM = { resourceVersion: '10', timeoutSeconds: 300 }
const pod = { apiVersion: 'v1', kind: 'Pod' }
