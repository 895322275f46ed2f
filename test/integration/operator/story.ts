import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { BronzePipeline } from '../../../crds/pipeline.ts'
import { eventually } from './running.ts'
import { sayHowPodsAre, type VersionsHome } from './versions.ts'

/** One pipeline, `shop`, in a home of operators; its pods are said to be ready as soon as they are there. */
export class Story {
  readonly home: VersionsHome

  constructor(home: VersionsHome) {
    this.home = home
  }

  async apply(spec: object): Promise<void> {
    const args = ['apply', '--server-side', '--force-conflicts', '-f', '-']
    await this.home.kubectl(args, JSON.stringify(shop(spec)))
  }

  async patch(spec: object): Promise<void> {
    await this.home.kubectl(['patch', 'bp', 'shop', '--type=merge', '-p', JSON.stringify({ spec })])
  }

  async pipeline(): Promise<BronzePipeline> {
    const { api, namespace } = this.home
    const path = `/apis/bronze.dev/v1alpha1/namespaces/${namespace}/bronzepipelines/shop`
    const { status, body } = await api.call('GET', path)
    assert.equal(status, 200, JSON.stringify(body))
    return body as unknown as BronzePipeline
  }

  /** `False Suspended` */
  async condition(type: string): Promise<string> {
    const { status } = await this.pipeline()
    const found = status?.conditions?.find(condition => condition.type === type)
    return `${found?.status} ${found?.reason}`
  }

  async until(type: string, expected: string): Promise<void> {
    const read = async () => (await sayHowPodsAre(this.home), this.condition(type))
    await eventually(`${type}=${expected}`, read, found => found === expected)
  }

  async untilHealthy(): Promise<void> {
    const read = async () => (await sayHowPodsAre(this.home), (await this.pipeline()).status?.revision)
    await eventually('a healthy revision', read, revision => revision?.healthy === true)
  }

  /** A field of an object, empty when there is none. */
  read(what: string, path: string): Promise<string> {
    return this.home.kubectl(['get', what, '--ignore-not-found', '-o', `jsonpath=${path}`])
  }

  deployed(path: string): Promise<string> {
    return this.read('deploy/shop-consumer', path)
  }

  image(): Promise<string> {
    return this.deployed('{.spec.template.spec.containers[0].image}')
  }

  async untilImage(expected: string): Promise<void> {
    await eventually(
      `image ${expected}`,
      () => this.image(),
      image => image === expected
    )
  }

  async replicaSets(): Promise<number> {
    return (await this.home.kubectl(['get', 'rs', '-o', 'name'])).split('\n').filter(Boolean).length
  }

  /** Until the operator has looked at everything a few times. */
  async aFewLooks(): Promise<void> {
    for (let turn = 0; turn < 15; turn++) {
      await sayHowPodsAre(this.home)
      await wait(200)
    }
  }
}

const shop = (spec: object) => ({
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: { name: 'shop' },
  spec: {
    source: { bootstrapServers: ['kafka:9092'] },
    topics: [{ name: 'orders', table: 'orders' }],
    sink: { delta: { location: 's3://lake/warehouse' } },
    ...spec
  }
})
