// npm run cluster: a real cluster with the operator, a broker, a store and the example of eight topics, until Ctrl-C.
import { installed } from '../servers/cache.ts'
import { need } from '../servers/need.ts'
import { Shop } from './shop.ts'

const { skip } = need('node', 'kube', 'helm', 'kafka', 's3', 'readers')
if (skip !== undefined) {
  console.error(skip)
  process.exit(1)
}
console.log('a cluster with one node, a broker and a store are started, and our image is built: a minute or two')
const shop = await Shop.open()
await shop.cluster.kube.kubectl(['create', 'namespace', 'bronze'])
await shop.chart('install', 'one')
const { code, stderr } = await shop.cluster.kube.kubectl(['apply', '-f', '-'], await shop.lake.manifest())
if (code !== 0) throw new Error(stderr)
shop.feed.start()
const { kube, state } = shop.cluster
const { kafka, s3 } = shop.lake
console.log(`
  export KUBECONFIG=${kube.kubeconfig}
  ${installed('kube', 'kubectl')} -n lakehouse get bp shop --watch
  ${installed('kube', 'helm')} -n bronze list

Kafka   ${kafka.bootstrap}
S3      ${s3.endpoint}, ${s3.accessKeyId}, ${s3.secretAccessKey}
Logs of kubelet, containerd and kube-proxy are in ${state}.

Records keep coming. Ctrl-C ends all of it and leaves nothing.`)

process.once('SIGINT', () => {
  console.log('ending')
  void shop.close().then(() => process.exit(0))
})
// Nothing else keeps this process alive.
setInterval(() => {}, 60_000)
