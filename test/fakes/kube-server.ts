import type { IncomingMessage, ServerResponse } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { judgeAsServer } from '../../crds/validate.ts'
import type { BronzePipeline } from '../../crds/pipeline.ts'
import type { KubeObject } from '../../operator/kube/kube.ts'
import { serveHttp } from './http-server.ts'

type Fields = Record<string, unknown>

/** Lines of a pod's log, with the time that the node took them; `stays` holds a follower until the server ends. */
export interface FakeLog {
  readonly lines?: readonly string[]
  /** Its pod waits for a node. */
  readonly isOnNoNode?: boolean
  readonly previous?: readonly string[]
}

/** An API server in memory as users see it, and a kubeconfig for it. */
export interface FakeKubeServer {
  /** By their paths: `/api/v1/namespaces/lake/pods/shop-1`. */
  readonly objects: Map<string, KubeObject>
  readonly logs: Map<string, FakeLog>
  /** Lines to whoever follows the log of this pod now. */
  readonly say: (pod: string, line: string) => void
  /** Ends the logs of this pod, as the end of its container does. */
  readonly hangUp: (pod: string) => void
  /** Answers of pods by `pod:port/path`. */
  readonly pages: Map<string, string>
  /** Verb and resource that are refused: `patch bronzepipelines`. */
  readonly forbidden: Set<string>
  /** `PATCH /apis/…?dryRun=All` in order. */
  readonly requests: string[]
  readonly bodies: unknown[]
  readonly put: (collection: string, object: object) => void
  /** No kind of ours is known. */
  isWithoutDefinition: boolean
  readonly folder: string
  readonly kubeconfig: string
  readonly env: NodeJS.ProcessEnv
  readonly url: string
}

export const PIPELINES_OF = (namespace: string) => `/apis/bronze.dev/v1alpha1/namespaces/${namespace}/bronzepipelines`

export async function fakeKubeServer(context: TestContext): Promise<FakeKubeServer> {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-kube-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const state = new State()
  const url = await serveHttp(context, (request, response) => {
    state.answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  const kubeconfig = join(folder, 'config')
  await writeFile(kubeconfig, kubeconfigOf(url))
  const { KUBECONFIG: _, ...rest } = process.env
  const env = { ...rest, KUBECONFIG: kubeconfig, HOME: folder }
  return Object.assign(state, { folder, kubeconfig, env, url })
}

const kubeconfigOf = (server: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'token-of-the-user' } }],
    contexts: [
      { name: 'test', context: { cluster: 'c', user: 'u', namespace: 'lake' } },
      { name: 'bare', context: { cluster: 'c', user: 'u' } }
    ],
    'current-context': 'test'
  })

class State {
  readonly objects = new Map<string, KubeObject>()
  readonly logs = new Map<string, FakeLog>()
  readonly pages = new Map<string, string>()
  readonly forbidden = new Set<string>()
  readonly requests: string[] = []
  readonly bodies: unknown[] = []
  isWithoutDefinition = false
  readonly #followers = new Map<string, Set<ServerResponse>>()

  readonly put = (collection: string, object: object): void => {
    const given = object as KubeObject
    const judged = collection.endsWith('/bronzepipelines') ? judgeAsServer(given) : undefined
    const named: KubeObject = judged?.ok === true ? judged.pipeline : given
    this.objects.set(`${collection}/${named.metadata.name}`, named)
  }

  readonly say = (pod: string, line: string): void => {
    for (const response of this.#followers.get(pod) ?? []) response.write(`${line}\n`)
  }

  readonly hangUp = (pod: string): void => {
    for (const response of this.#followers.get(pod) ?? []) response.end()
    this.#followers.delete(pod)
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x')
    const { method = 'GET' } = request
    const path = decodeURIComponent(url.pathname)
    this.requests.push(`${method} ${path}${url.search}`)
    const body = method === 'GET' ? undefined : ((await json(request)) as Fields)
    if (body !== undefined) this.bodies.push(body)
    const send = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const refuse = (status: number, message: string) => send(status, { kind: 'Status', code: status, message })
    if (path === '/version') return void send(200, { gitVersion: 'v1.36.0' })
    const at = placeOf(path)
    if (this.isWithoutDefinition && at.resource === 'bronzepipelines') {
      return void refuse(404, 'the server could not find the requested resource')
    }
    const verb = method === 'PATCH' ? 'patch' : method === 'GET' ? (at.name === undefined ? 'list' : 'get') : 'create'
    const resource = at.sub === undefined ? at.resource : `${at.resource}/${at.sub}`
    if (this.forbidden.has(`${verb} ${resource}`)) {
      const where = at.namespace === undefined ? 'at the cluster scope' : `in the namespace "${at.namespace}"`
      return void refuse(
        403,
        `${resource} is forbidden: User "jane" cannot ${verb} resource "${resource}" in API group "" ${where}`
      )
    }
    if (at.sub === 'log') return this.#log(at.name ?? '', url.searchParams, response)
    if (at.sub === 'proxy') {
      const page = this.pages.get(`${at.name}${at.rest}`)
      return void (page === undefined ? refuse(503, 'no endpoints available') : response.writeHead(200).end(page))
    }
    if (method === 'GET' && at.name === undefined) {
      return void send(200, { metadata: { resourceVersion: '1' }, items: this.#listed(path, at, url.searchParams) })
    }
    const found = this.objects.get(path)
    if (method === 'GET') return void (found === undefined ? refuse(404, `${path} not found`) : send(200, found))
    let after = merged(found ?? {}, body ?? {}) as unknown as KubeObject
    if (at.resource === 'bronzepipelines') {
      const judged = judgeAsServer(after, found as BronzePipeline | undefined)
      if (!judged.ok) {
        return void refuse(422, judged.problems.map(({ path, message }) => `${path}: ${message}`).join(', '))
      }
      after = judged.pipeline
    }
    const changed =
      JSON.stringify((after as { spec?: unknown }).spec) !== JSON.stringify((found as { spec?: unknown })?.spec)
    const generation = (found?.metadata.generation ?? 0) + (changed ? 1 : 0)
    const stored = { ...after, metadata: { uid: 'uid-new', ...after.metadata, generation } }
    if (url.searchParams.get('dryRun') !== 'All') this.objects.set(path, stored)
    return void send(200, stored)
  }

  #listed(path: string, { namespace, resource }: Place, query: URLSearchParams): readonly KubeObject[] {
    const labels = (query.get('labelSelector') ?? '').split(',').filter(text => text !== '')
    const involved = /involvedObject\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1]
    return [...this.objects].flatMap(([key, object]) => {
      const isOf = namespace === undefined ? placeOf(key).resource === resource : key.startsWith(`${path}/`)
      const hasLabels = labels.every(label => {
        const [name = '', value] = label.split('=')
        return object.metadata.labels?.[name] === value
      })
      const about = (object as { involvedObject?: { name?: string } }).involvedObject?.name
      return isOf && hasLabels && (involved === undefined || about === involved) ? [object] : []
    })
  }

  #log(pod: string, query: URLSearchParams, response: ServerResponse): void {
    const log = this.logs.get(pod)
    const isPrevious = query.get('previous') === 'true'
    const lines = isPrevious ? log?.previous : log?.lines
    if (log?.isOnNoNode === true) return void response.writeHead(204).end()
    if (lines === undefined) {
      const message = isPrevious ? `previous terminated container "consumer" in pod "${pod}" not found` : 'no log'
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ message }))
      return
    }
    const tail = Number(query.get('tailLines') ?? lines.length)
    response.writeHead(200)
    for (const line of tail === 0 ? [] : lines.slice(-tail)) response.write(`${line}\n`)
    if (query.get('follow') !== 'true') return void response.end()
    response.flushHeaders()
    this.#followers.set(pod, (this.#followers.get(pod) ?? new Set()).add(response))
  }
}

interface Place {
  readonly namespace: string | undefined
  readonly resource: string
  readonly name: string | undefined
  readonly sub: string | undefined
  readonly rest: string
}

/** `/apis/group/version/namespaces/n/resource/name/sub/rest` */
function placeOf(path: string): Place {
  const parts = path.split('/').slice(path.startsWith('/apis/') ? 4 : 3)
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2
  const [resource = '', name, sub, ...rest] = isNamespaced ? parts.slice(2) : parts
  return { namespace: isNamespaced ? parts[1] : undefined, resource, name, sub, rest: `/${rest.join('/')}` }
}

/** JSON merge patch (RFC 7386). */
function merged(target: object, patch: object): Fields {
  const result: Fields = { ...(target as Fields) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else if (typeof value === 'object' && !Array.isArray(value)) {
      const before = result[name]
      result[name] = merged(
        typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {},
        value as object
      )
    } else result[name] = value
  }
  return result
}
