import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { PIPELINES_OF } from '../../fakes/kube-server.ts'
import { lake } from './world.ts'

test('a pipeline in trouble is shown on one screen, each trouble once, others and old events left out', async context => {
  const { run } = await lake(context)
  const { code, out, err } = await run('status')
  assert.deepEqual([code, err], [1, ''])
  assert.equal(
    out,
    `lake/shop   Ready=False OutOfMemory   delta   1 topic   1/2 pods   lag 48k   behind 3s   4 dead letters   9d

CONDITION           STATUS   REASON        SINCE   MESSAGE
WorkloadAvailable   False    OutOfMemory   25m     a consumer was ended for using too much memory

POD                             READY   PARTS   RESTARTS   AGE   STATE
shop-consumer-7d9f8b6c5-2xkqp   yes     2       0          26h   Running
shop-consumer-7d9f8b6c5-8lmzv   no      ?       4          26h   CrashLoopBackOff, ended 25m ago: OOMKilled (exit code 137), last word

TOPIC    TABLE           PARTS   LAG   BEHIND   DLQ   COMMIT
orders   bronze.orders   2       48k   3s       4     25m ago

scaling    2 consumers (Partitions): as many consumers as the partitions ask for
rollout    1 of 2 pods have the configuration that is asked for, shop-config-new

WARNING       SEEN           MESSAGE
OutOfMemory   25m ago (x2)   a consumer was ended for using too much memory
`
  )
})

test('the same as one line for programs, with a null for what is unknown', async context => {
  const { run } = await lake(context)
  const { code, out } = await run('status', 'shop', '-o', 'json')
  assert.equal(code, 1)
  const { pods, ready, reason, well, rollout, scaling, warnings, plan } = JSON.parse(out) as Record<string, unknown>
  assert.deepEqual([ready, reason, well, plan], ['False', 'OutOfMemory', false, null])
  assert.deepEqual(rollout, { revision: 'shop-config-new', updatedPods: 1, isDone: false })
  assert.deepEqual((scaling as { wanted: number }).wanted, 2)
  assert.equal((warnings as unknown[]).length, 1)
  const [first, second] = pods as { partitions: number | null; lastEnd: { exitCode: number } | null }[]
  assert.deepEqual(
    [first?.partitions, first?.lastEnd, second?.partitions, second?.lastEnd?.exitCode],
    [2, null, null, 137]
  )
})

test('with the rights of a viewer all but the partitions of pods is shown, and pods are asked once', async context => {
  const { run, kube } = await lake(context)
  kube.forbidden.add('get pods/proxy')
  const { out } = await run('status')
  assert.match(out, /2xkqp +yes +\? +0/)
  kube.forbidden.add('list pods').add('list events').add('get deployments')
  const less = await run('status')
  assert.equal(less.err, '')
  assert.match(less.out, /^pods: not shown, you may not list them$/m)
  assert.equal(kube.requests.filter(request => request.includes('/proxy/')).length, 1)
})

test('what has not been looked at yet is not well, a pipeline that is suspended is', async context => {
  const { run, kube } = await lake(context)
  const path = `${PIPELINES_OF('lake')}/shop`
  const shop = kube.objects.get(path) as { metadata: { name: string }; status: object } | undefined
  const suspended = {
    type: 'Ready',
    status: 'False',
    reason: 'Suspended',
    message: 'x',
    lastTransitionTime: '2026-01-01T00:00:00Z'
  }
  kube.put(PIPELINES_OF('lake'), { ...shop, status: { observedGeneration: 2, conditions: [suspended] } })
  assert.equal((await run('status')).code, 0)
  kube.put(PIPELINES_OF('lake'), { ...shop, status: { observedGeneration: 1, conditions: [suspended] } })
  const old = await run('status')
  assert.equal(old.code, 1)
  assert.match(old.out, /the operator has not looked at the last change yet \(generation 2, it knows 1\)/)
  kube.put(PIPELINES_OF('lake'), { ...shop, status: undefined })
  assert.match((await run('status')).out, /no operator has looked at it yet/)
})

test('what cannot be shown is said with what to do', async context => {
  const { run, kube } = await lake(context)
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      ['shpo'],
      78,
      /^bronze: NoSuchPipeline: there is no pipeline shpo in lake \(context test\); did you mean shop\?\n$/
    ],
    [['shop', '--context', 'bare'], 78, /no pipeline shop in default .*there is one in lake: give -n/],
    [['--context', 'none'], 78, /NoSuchContext: the kubeconfig has no context none with a cluster; it has test, bare/],
    [['--kubeconfig', 'nowhere'], 78, /KubeconfigUnreadable: .*nowhere/],
    [['shop', '-A'], 2, /--all-namespaces goes without names/],
    [['-f', 'x.yaml', '-n', 'lake'], 2, /--namespace goes with the name of a pipeline in a cluster, not with -f/],
    [['shop', 'x.yaml'], 2, /name files with -f/]
  ]
  for (const [args, exitCode, message] of cases) {
    const { code, err } = await run('status', ...args)
    assert.match(err, message)
    assert.equal(code, exitCode)
  }
  kube.forbidden.add('list bronzepipelines')
  const refused = await run('status')
  assert.equal(refused.code, 78)
  assert.match(refused.err, /Forbidden: .* cannot list .*The ClusterRole view has "list bronzepipelines"/)
  kube.forbidden.clear()
  kube.isWithoutDefinition = true
  assert.match((await run('status')).err, /NotInstalled: .*install the operator with its chart/)
})

test('a cluster that does not answer is named with what was tried', async context => {
  const { run, kube } = await lake(context)
  const text = JSON.parse(await readFile(kube.kubeconfig, 'utf8')) as { clusters: [{ cluster: { server: string } }] }
  text.clusters[0].cluster.server = 'http://127.0.0.1:1'
  await writeFile(kube.kubeconfig, JSON.stringify(text))
  const { code, err } = await run('status')
  assert.equal(code, 1)
  assert.match(
    err,
    /^bronze: ClusterUnreachable: the cluster of context test does not answer: connect ECONNREFUSED 127.0.0.1:1\. Is it the right one/
  )
})

test('--watch shows it again until Ctrl-C', async context => {
  const { bronze } = await lake(context)
  const { child, ended } = bronze(['status', '--watch', '-o', 'json'])
  let text = ''
  const { promise: twice, resolve } = Promise.withResolvers<void>()
  child.stdout.on('data', chunk => {
    text += String(chunk)
    if (text.split('\n').length > 2) resolve()
  })
  await twice
  child.kill('SIGINT')
  assert.equal((await ended).code, 1)
})
