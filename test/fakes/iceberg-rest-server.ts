import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseJson, stringifyJson } from '../../consumer/sinks/json.ts'
import type { TableName } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import { MemoryCatalog } from './iceberg-catalog.ts'

export interface CatalogServer {
  readonly uri: string
  readonly catalog: MemoryCatalog
  /** When set, it is the answer to every request. */
  refuseWith: number | undefined
  close(): void
}

/** The Iceberg REST protocol before a catalog in memory, as far as a sink speaks it; tables lie in a folder. */
export async function startCatalogServer(warehouse: string): Promise<CatalogServer> {
  const catalog = new MemoryCatalog({ warehouse })
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => answer(response, 400, { error: { message: String(error) } }))
  })
  const running: CatalogServer = {
    uri: '',
    catalog,
    refuseWith: undefined,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    if (running.refuseWith !== undefined) return answer(response, running.refuseWith, {})
    const [status, json] = await handle(
      catalog,
      `${request.method} ${request.url}`,
      body === '' ? undefined : parseJson(body)
    )
    answer(response, status, json)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(running, { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

const NOT_FOUND = [404, { error: { message: 'there is none', type: 'NoSuchTableException', code: 404 } }] as const
const CONFLICT = [409, { error: { message: 'it moved', type: 'CommitFailedException', code: 409 } }] as const

async function handle(catalog: MemoryCatalog, line: string, body: unknown): Promise<readonly [number, unknown]> {
  if (line === 'GET /v1/config') return [200, { defaults: {}, overrides: {} }]
  const json = body as { readonly namespace: readonly string[]; readonly name: string } & TableChange
  if (line === 'POST /v1/namespaces') {
    await catalog.createNamespace(json.namespace)
    return [200, { namespace: json.namespace, properties: {} }]
  }
  const [, method, path = '', name] =
    /^(GET|POST) \/v1\/namespaces\/([^/]+)(?:\/tables(?:\/([^/]+))?)?$/.exec(line) ?? []
  const namespace = path.split('%1F').map(decodeURIComponent)
  if (!line.includes('/tables')) return catalog.namespaces.has(namespace.join('.')) ? [200, { namespace }] : NOT_FOUND
  const table: TableName = { namespace, name: decodeURIComponent(name ?? json.name) }
  if (method === 'GET') {
    const loaded = await catalog.loadTable(table)
    return loaded === undefined ? NOT_FOUND : [200, loaded]
  }
  const outcome = name === undefined ? await catalog.createTable(table, json) : await catalog.commitTable(table, json)
  if (outcome === 'gone') return NOT_FOUND
  return typeof outcome === 'string' ? CONFLICT : [200, outcome]
}

function answer(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(stringifyJson(json))
}
