// `helm test` runs this in a pod of its own, with the rights of templates/tests/access.yaml: the operator is ready, the API server
// judges pipelines by our rules, and the operator takes up a new one.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const { ACCOUNT, ATTEMPTS, OPERATOR, PIPELINE, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
const headers = { authorization: `Bearer ${readFileSync(`${ACCOUNT}/token`, 'utf8').trim()}`, 'content-type': 'application/json' }
const [operatorNamespace, operatorName] = OPERATOR.split('/')
const [namespace, name] = PIPELINE.split('/')
const pipelines = `/apis/bronze.dev/v1alpha1/namespaces/${namespace}/bronzepipelines`

async function call(method, path, body) {
  const signal = AbortSignal.timeout(10_000)
  const answer = await fetch(server + path, { method, headers, signal, ...(body ? { body: JSON.stringify(body) } : {}) })
  return { status: answer.status, body: await answer.json() }
}

async function eventually(what, look) {
  let last
  for (let attempt = 0; attempt < Number(ATTEMPTS); attempt++) {
    last = await look().catch(error => ({ isSo: false, seen: String(error.cause ?? error) }))
    if (last.isSo) return console.log(`ok: ${what}`)
    await wait(1000)
  }
  throw new Error(`not so in ${ATTEMPTS} seconds: ${what}; last seen: ${JSON.stringify(last.seen)}`)
}

function pipeline(topics) {
  const source = { bootstrapServers: ['127.0.0.1:1'] }
  const sink = { delta: { location: 's3://none/none' } }
  return {
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    metadata: { name, namespace },
    // Nothing is made for it.
    spec: { source, topics, sink, mode: 'Plan' }
  }
}

await eventually('a replica of the operator is available', async () => {
  const path = `/apis/apps/v1/namespaces/${operatorNamespace}/deployments/${operatorName}`
  const { body } = await call('GET', path)
  return { isSo: body.status?.availableReplicas > 0, seen: body.status ?? body }
})
await eventually('a pipeline without topics is refused', async () => {
  const { status, body } = await call('POST', `${pipelines}?dryRun=All`, pipeline([]))
  return { isSo: status === 422, seen: body.message ?? status }
})
try {
  await eventually('a pipeline is taken', async () => {
    const { status, body } = await call('POST', pipelines, pipeline([{ name: 'test', table: 'test' }]))
    return { isSo: status === 201 || status === 409, seen: body.message ?? status }
  })
  await eventually('the operator has seen it', async () => {
    const { body } = await call('GET', `${pipelines}/${name}`)
    return { isSo: body.status?.observedGeneration === body.metadata?.generation, seen: body.status ?? body }
  })
} finally {
  await call('DELETE', `${pipelines}/${name}`)
}
