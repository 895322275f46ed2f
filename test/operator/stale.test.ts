/** Sieve's second pattern: a new leader whose copies of the cluster are older than what the leader before it did. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kube, KubeObject, WatchEvent } from '../../operator/kube/kube.ts'
import type { FakeCluster } from '../fakes/cluster.ts'
import { aCluster, anOperator, put, snapshot } from './life.ts'

const KINDS = [['BronzePipeline'], ['Deployment'], ['ConfigMap', 'Pod']] as const

/** Watches of some kinds say nothing until they are thawed; reads and writes are as ever. */
class Freezer {
  readonly kube: Kube
  #thawed = Promise.withResolvers<void>()
  #frozen: ReadonlySet<string> = new Set()

  constructor(cluster: FakeCluster) {
    const watch = (of: Kube, asked: Parameters<Kube['watch']>) => this.watch(of, asked)
    this.kube = new Proxy<Kube>(cluster, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...args: unknown[]): unknown =>
          name === 'watch'
            ? watch(target, args as Parameters<Kube['watch']>)
            : (Reflect.apply(method, target, args) as unknown)
      }
    })
  }

  freeze(kinds: readonly string[]): void {
    this.#frozen = new Set(kinds)
  }

  thaw(): void {
    this.#frozen = new Set()
    this.#thawed.resolve()
  }

  async *watch(cluster: Kube, args: Parameters<Kube['watch']>): AsyncIterable<WatchEvent> {
    for await (const event of cluster.watch(...args)) {
      if (this.#frozen.has(args[0].kind)) await this.#thawed.promise
      yield event
    }
  }
}

const STORIES: readonly (readonly [what: string, before: object, after: object])[] = [
  ['a scale down', { scaling: { mode: 'Partitions' } }, { scaling: { mode: 'Partitions', maxReplicas: 1 } }],
  ['a scale up', { scaling: { mode: 'Partitions', maxReplicas: 1 } }, { scaling: { mode: 'Partitions' } }],
  ['a suspension', {}, { suspend: true }],
  ['another configuration', {}, { batch: { triggerInterval: '20s' } }]
]

for (const [what, before, after] of STORIES) {
  for (const frozen of subsets(KINDS).map(each => each.flat())) {
    test(`${what} is not undone by a new leader who has not seen it of: ${frozen.join(', ')}`, async () => {
      const { cluster, clock } = await aCluster()
      const first = anOperator(cluster, clock, { identity: 'first' })
      await put(cluster, before)
      await clock.advance(60_000)
      const freezer = new Freezer(cluster)
      const second = anOperator(cluster, clock, { identity: 'second', kube: freezer.kube })
      await clock.advance(5000)
      freezer.freeze(frozen)
      await put(cluster, after)
      await clock.advance(60_000)
      const done = snapshot(cluster)
      const generation = generationOf(cluster)
      const observed: number[] = []
      const { onWritten } = cluster
      cluster.onWritten = object => {
        if (object.kind === 'BronzePipeline') observed.push(observedOf(object))
        onWritten(object)
      }
      await first.stop()
      await clock.advance(120_000)
      assert.equal(generationOf(cluster), generation, 'the Deployment is as it was')
      assert.deepEqual(names(snapshot(cluster)), names(done), 'nothing was removed')
      freezer.thaw()
      await clock.advance(120_000)
      assert.equal(generationOf(cluster), generation)
      assert.deepEqual(snapshot(cluster), done)
      assert.deepEqual(
        observed.filter(seen => seen < 2),
        [],
        'the status tells of the older spec again'
      )
      await second.stop()
    })
  }
}

/** What there is, without what it looks like. */
const names = (objects: readonly string[]) =>
  objects.map(text => {
    const { kind, metadata } = JSON.parse(text) as KubeObject
    return `${kind} ${metadata.name}`
  })

const generationOf = (cluster: FakeCluster) => cluster.of('Deployment')[0]?.metadata.generation

const observedOf = (object: KubeObject) =>
  (object as { readonly status?: { readonly observedGeneration?: number } }).status?.observedGeneration ?? 0

/** All but the empty one. */
function subsets<T>(items: readonly T[]): readonly T[][] {
  return Array.from({ length: 2 ** items.length - 1 }, (_, index) =>
    items.filter((_, place) => ((index + 1) >> place) % 2 === 1)
  )
}
