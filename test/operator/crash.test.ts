/** Sieve's first pattern: an operator that dies between any two of its writes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeError, type Kube } from '../../operator/kube/kube.ts'
import { aCluster, anOperator, LIFE, snapshot } from './life.ts'

/** Of the first stage after a death its successor must wait for the lease. */
const STAGE_MS = 90_000

/** Every write but those of the lease is counted; after the one that is asked for nothing works any more. */
function mortal(kube: Kube, writes: { count: number }, diesAfter: number, onDeath: () => void): Kube {
  let isDead = false
  const isWrite = (name: string | symbol) =>
    ['apply', 'applyStatus', 'create', 'update', 'mergePatch', 'delete'].includes(String(name))
  return new Proxy(kube, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]): unknown => {
        if (isDead) {
          const error = new KubeError(0, 'this process is dead')
          if (name === 'watch') throw error
          return Promise.reject(error)
        }
        const done: unknown = Reflect.apply(method, target, args)
        if (!isWrite(name) || (args[0] as { kind: string }).kind === 'Lease') return done
        if (++writes.count !== diesAfter) return done
        // It took effect; nobody heard of it.
        isDead = true
        onDeath()
        return (done as Promise<unknown>).then(() => Promise.reject(new KubeError(0, 'the answer was lost')))
      }
    }
  })
}

async function live(diesAfter: number) {
  const { cluster, clock } = await aCluster()
  const writes = { count: 0 }
  const operators = [
    anOperator(cluster, clock, {
      identity: 'first',
      kube: mortal(cluster, writes, diesAfter, () => operators.push(anOperator(cluster, clock, { identity: 'second' })))
    })
  ]
  const stages: (readonly [string, readonly string[]])[] = []
  let since = 0
  for (const [what, act] of LIFE) {
    await act(cluster)
    await clock.advance(STAGE_MS)
    stages.push([what, snapshot(cluster)])
    // The stage in which it died, and the one after: what comes then is as it was without.
    if (operators.length > 1 && ++since === 2) break
  }
  for (const { stop } of operators) await stop()
  return { stages, writes: writes.count, operators: operators.length }
}

test('wherever it dies, its successor brings every stage of a pipeline’s life to the same end', async () => {
  const calm = await live(Infinity)
  assert.equal(calm.operators, 1)
  assert.ok(calm.writes > 25, `${calm.writes} writes`)
  for (let k = 1; k <= calm.writes; k++) {
    const { stages, operators } = await live(k)
    assert.equal(operators, 2)
    assert.deepEqual(stages, calm.stages.slice(0, stages.length), `dead after write ${k} of ${calm.writes}`)
  }
})
