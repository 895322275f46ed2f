import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { BronzePipeline } from '../../crds/pipeline.ts'
import { settle } from '../../crds/settle.ts'
import type { KubeObject } from '../../operator/kube.ts'
import { shortHash } from '../../operator/names.ts'
import { budget, configMap, deployment, secretsOf, serviceAccount } from '../../operator/resources.ts'

/** Objects as version 0.1.0 made them, with the pipelines they were made from. */
interface Golden {
  readonly pipeline: BronzePipeline
  readonly objects: readonly KubeObject[]
}

const folder = new URL('golden/', import.meta.url)

for (const name of readdirSync(folder)) {
  test(`the objects of 0.1.0 are known: ${name}`, () => {
    const { pipeline, objects } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden
    const settled = settle(pipeline)
    const secrets = secretsOf(settled).map(secret => [secret, `hash of ${secret}`])
    const image = settled.consumer.image ?? 'bronze:0.1.0'
    const blueprint = { pipeline, settled, image, replicas: 2, secretsHash: shortHash(JSON.stringify(secrets)) }
    const account = serviceAccount(blueprint)
    const made = [...(account ? [account] : []), configMap(pipeline), budget(blueprint), deployment(blueprint)]
    assert.deepEqual(JSON.parse(JSON.stringify(made)), objects)
  })
}
