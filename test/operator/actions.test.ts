import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inGroups, type Action } from '../../operator/actions.ts'
import {
  BUDGETS,
  CONFIG_MAPS,
  DEPLOYMENTS,
  SERVICE_ACCOUNTS,
  type Kube,
  type KubeObject
} from '../../operator/kube/kube.ts'
import type { FakeCluster } from '../fakes/cluster.ts'
import { aCluster, anOperator, put } from './life.ts'

const action = (verb: Action['do'], type: Action['type']): Action => ({
  do: verb,
  type,
  object: { apiVersion: type.apiVersion, kind: type.kind, metadata: { name: 'x' } }
})

test('what pods mount is there before the Deployment, and nothing is deleted before that', () => {
  const account = action('apply', SERVICE_ACCOUNTS)
  const config = action('apply', CONFIG_MAPS)
  const budget = action('apply', BUDGETS)
  const deployment = action('apply', DEPLOYMENTS)
  const [orphan, old] = [action('delete', SERVICE_ACCOUNTS), action('delete', CONFIG_MAPS)]
  assert.deepEqual(inGroups([account, config, budget, deployment, orphan, old]), [
    [account, config, budget],
    [deployment],
    [orphan, old]
  ])
  assert.deepEqual(inGroups([config, old]), [[config], [old]])
  assert.deepEqual(inGroups([]), [])
})

/** Calls that were under way at the same time, by kind, each round in order. */
function inRounds(cluster: FakeCluster, rounds: string[][]): Kube {
  let open: string[] | undefined
  return new Proxy<Kube>(cluster, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (name === 'watch' || name === 'list') return method.bind(target) as unknown
      return async (...args: unknown[]): Promise<unknown> => {
        const { kind } = args[0] as KubeObject
        if (kind !== 'Lease') {
          if (open === undefined) rounds.push((open = []))
          open.push(`${String(name)} ${kind}`)
          await new Promise(resolve => setImmediate(resolve))
          open = undefined
        }
        return (await Reflect.apply(method, target, args)) as unknown
      }
    }
  })
}

test('a new pipeline has its Deployment after three rounds of requests, however many each has', async () => {
  const { cluster, clock } = await aCluster()
  const rounds: string[][] = []
  const operator = anOperator(cluster, clock, { identity: 'one', kube: inRounds(cluster, rounds) })
  await clock.advance(5000)
  rounds.length = 0
  await put(cluster, {})
  await clock.advance(5000)
  await operator.stop()
  assert.deepEqual(
    rounds.slice(0, 3).map(round => round.toSorted()),
    [
      ['get BronzePipeline', 'get Deployment', 'get PodDisruptionBudget', 'get Secret', 'get ServiceAccount'],
      ['apply ConfigMap', 'apply PodDisruptionBudget', 'apply ServiceAccount'],
      ['apply Deployment']
    ]
  )
})
