import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { dispatch } from '../../../cli/dispatch.ts'
import { consumerName, ownLabels } from '../../../operator/objects/names.ts'
import { startBronze } from '../../fakes/bronze.ts'
import { fakeKubeServer, PIPELINES_OF, type FakeKubeServer } from '../../fakes/kube-server.ts'

const PODS = '/api/v1/namespaces/lake/pods'

export const pipelineDocument = (spec: object = {}) => ({
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: { name: 'shop', namespace: 'lake' },
  spec: {
    source: { bootstrapServers: ['kafka:9092'] },
    topics: [{ name: 'orders', table: 'bronze.orders', format: 'Json' }],
    sink: { delta: { location: 's3://lake/warehouse', s3: { credentialsSecretRef: { name: 'minio' } } } },
    ...spec
  }
})

/** Shown as 25m for as long as a test lasts. */
const HALF_PAST = 25.5 * 60

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

const condition = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: ago(HALF_PAST),
  observedGeneration: 2
})

const OUT_OF_MEMORY = 'a consumer was ended for using too much memory'

/** A namespace with the pipeline `shop` in trouble, as an API server shows it, and `bronze` to look at it. */
export async function lake(context: TestContext) {
  const kube = await fakeKubeServer(context)
  kube.put(PIPELINES_OF('lake'), {
    ...pipelineDocument(),
    metadata: { name: 'shop', namespace: 'lake', uid: 'uid-1', generation: 2, creationTimestamp: ago(9.5 * 86_400) },
    status: {
      observedGeneration: 2,
      replicas: 2,
      partitions: 2,
      image: 'bronze:1',
      summary: { topics: '1', sink: 'delta', pods: '1/2', lag: '48k', behind: '3s', deadLetters: '4' },
      conditions: [
        condition('Ready', 'False', 'OutOfMemory', OUT_OF_MEMORY),
        condition('SpecAccepted', 'True', 'Accepted', 'the spec is valid'),
        condition('WorkloadAvailable', 'False', 'OutOfMemory', OUT_OF_MEMORY),
        condition('ScalingActive', 'True', 'Partitions', 'as many consumers as the partitions ask for'),
        condition('Stalled', 'True', 'OutOfMemory', OUT_OF_MEMORY)
      ],
      topics: [
        {
          name: 'orders',
          table: 'bronze.orders',
          partitions: 2,
          lag: 48_000,
          behind: '3s',
          deadLetters: 4,
          lastCommitTime: ago(HALF_PAST)
        }
      ]
    }
  })
  kube.put('/apis/apps/v1/namespaces/lake/deployments', deployment())
  kube.put(PODS, pod('shop-consumer-7d9f8b6c5-2xkqp', 'shop-config-new', { ready: true, restartCount: 0 }))
  kube.put(PODS, pod('shop-consumer-7d9f8b6c5-8lmzv', 'shop-config-old', CRASHED))
  kube.put(PODS, {
    ...pod('other-consumer-1', 'x', {}),
    metadata: { name: 'other-consumer-1', namespace: 'lake', labels: ownLabels('other') }
  })
  kube.pages.set('shop-consumer-7d9f8b6c5-2xkqp:8080/metrics', '# HELP x\nbronze_assigned_partitions 2\n')
  const events = '/api/v1/namespaces/lake/events'
  const about = {
    involvedObject: { kind: 'BronzePipeline', name: 'shop' },
    type: 'Warning',
    reason: 'OutOfMemory',
    count: 2
  }
  kube.put(events, { metadata: { name: 'e1' }, ...about, message: OUT_OF_MEMORY, lastTimestamp: ago(HALF_PAST) })
  kube.put(events, { metadata: { name: 'e2' }, ...about, message: 'of yesterday', lastTimestamp: ago(90_000) })
  // As a process of its own, where signals and pipes matter.
  const bronze = (args: readonly string[]) => startBronze(context, args, { cwd: kube.folder, env: kube.env })
  return { kube, bronze, run: async (...args: string[]) => await runHere(args, kube) }
}

/** The command without a process around it. */
async function runHere(args: readonly string[], { folder, kubeconfig }: FakeKubeServer) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(stdout), text(stderr)])
  const io = {
    program: 'bronze',
    stdin: () => Readable.from([]),
    stdout: Object.assign(stdout, { isTTY: false }) as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    cwd: folder,
    onSignal: () => () => {}
  }
  const isChosen = args.includes('--kubeconfig') || args[0] === '__complete'
  const code = await dispatch(isChosen ? args : [...args, '--kubeconfig', kubeconfig], io)
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

const CRASHED = {
  ready: false,
  restartCount: 4,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: {
    terminated: {
      exitCode: 137,
      reason: 'OOMKilled',
      finishedAt: ago(HALF_PAST),
      message: '{"reason":"X","message":"last word"}'
    }
  }
}

const pod = (name: string, config: string, container: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'lake', labels: ownLabels('shop'), creationTimestamp: ago(26.5 * 3600) },
  spec: { volumes: [{ name: 'config', configMap: { name: config } }] },
  status: { phase: 'Running', startTime: ago(26.5 * 3600), containerStatuses: [{ name: 'consumer', ...container }] }
})

const deployment = () => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: consumerName('shop'), namespace: 'lake', generation: 3, labels: ownLabels('shop') },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [{ name: 'consumer', image: 'bronze:1', resources: {} }],
        volumes: [{ name: 'config', configMap: { name: 'shop-config-new' } }]
      }
    }
  },
  status: { observedGeneration: 3, replicas: 2, updatedReplicas: 1, readyReplicas: 1 }
})
