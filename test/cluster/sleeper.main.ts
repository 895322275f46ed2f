// Starts a cluster with one pod for a test, says where, and waits to be killed.
import { startCluster } from './cluster.ts'
import { PAUSE_IMAGE } from '../servers/node/programs.ts'

const { kube, network, state } = await startCluster()
await kube.kubectl(['run', 'sleeper', `--image=${PAUSE_IMAGE}`, '--image-pull-policy=Never'])
const { code, stderr } = await kube.kubectl(['wait', '--for=condition=Ready', 'pod/sleeper', '--timeout=60s'])
if (code !== 0) throw new Error(stderr)
console.log(JSON.stringify({ network, state }))
setInterval(() => {}, 60_000)
