import { type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Clock } from '../lib/clock.ts'
import {
  KubeError,
  type Kube,
  type KubeObject,
  type Page,
  type ResourceType,
  type Selection,
  type WatchEvent
} from './kube.ts'

/** How to reach an API server. */
export interface KubeAccess {
  /** `https://10.0.0.1:443` */
  readonly server: string
  /** PEM. */
  readonly ca?: string | Buffer | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  /** Asked before each request: tokens are exchanged while we run. */
  readonly token?: () => Promise<string | undefined>
}

const FIELD_MANAGER = 'bronze-operator'
const PAGE_ITEMS = 500
const REQUEST_TIMEOUT_MS = 30_000
/**
 * Bookmarks come about once a minute, from the first change of a kind of objects on: a watch that has spoken and is silent
 * for longer has died without saying so. One that never spoke is given up soon after its agreed end.
 */
const WATCH_IDLE_MS = 90_000
const WATCH_END_MARGIN_MS = 5000
const MAX_THROTTLED_ATTEMPTS = 5
const MAX_RETRY_AFTER_MS = 30_000

interface Call {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
}

/** The API server over HTTP. Requests that it throttles (429) wait as long as it asks and go again. */
export class KubeClient implements Kube {
  readonly #access: KubeAccess
  readonly #clock: Clock
  readonly #agent: Agent | undefined
  readonly #watchIdleMs: number

  constructor(access: KubeAccess, clock: Clock, { watchIdleMs = WATCH_IDLE_MS } = {}) {
    this.#access = access
    this.#clock = clock
    this.#watchIdleMs = watchIdleMs
    const { ca, cert, key } = access
    const tls = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
    this.#agent = access.server.startsWith('https:') ? new Agent({ keepAlive: true, ...tls }) : undefined
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.destroy()
  }

  async get(type: ResourceType, namespace: string | undefined, name: string): Promise<KubeObject | undefined> {
    try {
      return await this.#object({ method: 'GET', path: pathOf(type, namespace, name) })
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined
      throw error
    }
  }

  async list(type: ResourceType, selection: Selection, next: string | undefined, signal: AbortSignal): Promise<Page> {
    const query = { limit: String(PAGE_ITEMS), continue: next, labelSelector: selection.labelSelector }
    const answer = (await this.#json({
      method: 'GET',
      path: pathOf(type, selection.namespace),
      query,
      signal
    })) as {
      items?: readonly KubeObject[]
      metadata: { resourceVersion: string; continue?: string }
    }
    return {
      // Items of a list carry neither kind nor version.
      items: (answer.items ?? []).map(item => ({ ...item, apiVersion: type.apiVersion, kind: type.kind })),
      resourceVersion: answer.metadata.resourceVersion,
      next: answer.metadata.continue || undefined
    }
  }

  async *watch(
    type: ResourceType,
    selection: Selection,
    { resourceVersion, timeoutSeconds }: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal
  ): AsyncIterable<WatchEvent> {
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(timeoutSeconds),
      labelSelector: selection.labelSelector
    }
    const response = await this.#send({ method: 'GET', path: pathOf(type, selection.namespace), query, signal })
    if (response.statusCode !== 200) throw await failure(response)
    const silence = (ms: number) => response.socket.setTimeout(ms)
    silence(timeoutSeconds * 1000 + WATCH_END_MARGIN_MS)
    response.socket.once('timeout', () => response.destroy(new Error('the watch fell silent')))
    try {
      for await (const line of linesOf(response)) {
        silence(this.#watchIdleMs)
        yield watchEvent(JSON.parse(line) as RawEvent)
      }
    } catch (error) {
      throw new KubeError(0, `a watch of ${type.plural} broke off`, { cause: error })
    } finally {
      response.destroy()
    }
  }

  apply(type: ResourceType, object: KubeObject, options: { readonly dryRun?: boolean } = {}): Promise<KubeObject> {
    return this.#apply(type, object, '', { dryRun: options.dryRun === true ? 'All' : undefined })
  }

  applyStatus(type: ResourceType, object: KubeObject): Promise<KubeObject> {
    return this.#apply(type, object, '/status', {})
  }

  create(type: ResourceType, object: KubeObject): Promise<KubeObject> {
    return this.#object({ method: 'POST', path: pathOf(type, object.metadata.namespace), body: object })
  }

  update(type: ResourceType, object: KubeObject): Promise<KubeObject> {
    const { namespace, name } = object.metadata
    return this.#object({ method: 'PUT', path: pathOf(type, namespace, name), body: object })
  }

  async delete(type: ResourceType, { metadata: { namespace, name, uid } }: KubeObject): Promise<void> {
    const body = { preconditions: { uid }, propagationPolicy: 'Background' }
    try {
      await this.#json({ method: 'DELETE', path: pathOf(type, namespace, name), body })
    } catch (error) {
      if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return
      throw error
    }
  }

  #apply(
    type: ResourceType,
    object: KubeObject,
    subresource: string,
    query: Readonly<Record<string, string | undefined>>
  ): Promise<KubeObject> {
    const { namespace, name } = object.metadata
    return this.#object({
      method: 'PATCH',
      path: `${pathOf(type, namespace, name)}${subresource}`,
      query: { fieldManager: FIELD_MANAGER, force: 'true', fieldValidation: 'Strict', ...query },
      body: object,
      contentType: 'application/apply-patch+yaml'
    })
  }

  async #object(call: Call): Promise<KubeObject> {
    return (await this.#json(call)) as KubeObject
  }

  async #json(call: Call): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#send({ ...call, signal: within(REQUEST_TIMEOUT_MS, call.signal) })
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 300) return parse(await textOf(response))
      const error = await failure(response)
      if (status !== 429 || attempt === MAX_THROTTLED_ATTEMPTS) throw error
      await this.#clock.sleep(Math.min(error.retryAfterMs ?? 1000, MAX_RETRY_AFTER_MS), call.signal)
      call.signal?.throwIfAborted()
    }
  }

  async #send({ method, path, query = {}, body, contentType, signal }: Call): Promise<IncomingMessage> {
    const url = new URL(path, this.#access.server)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    const token = await this.#access.token?.()
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      accept: 'application/json',
      'user-agent': FIELD_MANAGER,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(text === undefined
        ? {}
        : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(text) })
    }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const options = { method, headers, ...(signal ? { signal } : {}) }
    const sent = this.#agent
      ? httpsRequest(url, { ...options, agent: this.#agent }, resolve)
      : httpRequest(url, options, resolve)
    sent.on('error', error =>
      reject(new KubeError(0, `${method} ${url.pathname} had no answer from the API server`, { cause: error }))
    )
    sent.end(text)
    return promise
  }
}

function pathOf({ apiVersion, plural }: ResourceType, namespace: string | undefined, name?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

const within = (ms: number, signal: AbortSignal | undefined) =>
  signal === undefined ? AbortSignal.timeout(ms) : AbortSignal.any([AbortSignal.timeout(ms), signal])

interface RawEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject & { readonly code?: number; readonly message?: string }
}

function watchEvent({ type, object }: RawEvent): WatchEvent {
  if (type !== 'ERROR') return { type, object }
  return { type, error: new KubeError(object.code ?? 0, object.message ?? 'the watch was refused') }
}

async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk
  } catch (error) {
    throw new KubeError(0, 'an answer of the API server broke off', { cause: error })
  }
  return text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new KubeError(0, 'an answer of the API server is not JSON', { cause: error })
  }
}

async function failure(response: IncomingMessage): Promise<KubeError> {
  const status = response.statusCode ?? 0
  const text = await textOf(response)
  const { message } = (text.startsWith('{') ? parse(text) : {}) as { message?: string }
  const retryAfterS = Number(response.headers['retry-after'])
  const retryAfterMs = Number.isFinite(retryAfterS) ? retryAfterS * 1000 : undefined
  return new KubeError(status, message ?? `the API server answers ${status}`, { retryAfterMs })
}
