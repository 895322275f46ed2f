import { createHash } from 'node:crypto'
import type { BronzePipeline } from '../../crds/pipeline.ts'
import { pipelineSchema, type Schema } from '../../crds/schema.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { withoutDefaults } from '../../crds/without-defaults.ts'
import { CONFIG_MAPS, type KubeObject } from '../kube/kube.ts'
import { RESTART_SECRETS } from '../objects/names.ts'
import { owned } from '../objects/owned.ts'

/** So much of a pod template as is looked at; the rest is carried along. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly serviceAccountName?: string
    readonly containers: readonly { readonly name: string; readonly image?: string }[]
    readonly volumes?: readonly Volume[]
  }
}

interface Volume {
  readonly name: string
  readonly configMap?: { readonly name?: string; readonly defaultMode?: number }
  readonly secret?: { readonly secretName?: string; readonly defaultMode?: number }
  readonly emptyDir?: { readonly sizeLimit?: string }
}

/** What a revision is made from. */
export interface Blueprint {
  readonly pipeline: BronzePipeline
  readonly settled: SettledPipeline
  readonly image: string
}

export interface Rendering {
  /** The pipeline as consumers read it. */
  readonly config: string
  /** Of their pods, without the hash of Secrets. */
  readonly template: PodTemplate
}

/** Makes what a blueprint asks for; the pods mount the ConfigMap of that name. A newer operator may make something else of the same. */
export type Render = (blueprint: Blueprint, configName: string) => Rendering

/**
 * Configuration and pod template that consumers were, are or will be made from. It is kept as it was made: an operator of
 * another version applies it unchanged.
 */
export interface Revision extends Rendering {
  /** Of its ConfigMap. It tells the content, so that what is found under it is what was put there. */
  readonly name: string
  /** What the user asked for, as a hash (`askedOf`). */
  readonly asked: string
}

/** A ConfigMap holds this much; names of keys count. */
export const MAX_CONFIG_BYTES = 1_048_576

export function newRevision(blueprint: Blueprint, render: Render, schema?: Schema): Revision {
  const asked = askedOf(blueprint, schema)
  const name = nameOf(blueprint.settled.name, { asked, ...render(blueprint, SELF) })
  return { name, asked, ...plain(render(blueprint, name)) }
}

/** A revision of what runs since before there were revisions: its pods mount the ConfigMap that they have. */
export function adoptedRevision(blueprint: Blueprint, rendering: Rendering, schema?: Schema): Revision {
  const asked = askedOf(blueprint, schema)
  return { name: nameOf(blueprint.settled.name, { asked, ...rendering }), asked, ...rendering }
}

/**
 * A hash of what the user asked for that shapes consumers and their pods: the spec as it was written, without what the
 * schema fills in and what only the operator looks at, and the image. Two versions of the operator agree on it.
 */
export function askedOf(
  { pipeline, image }: Pick<Blueprint, 'pipeline' | 'image'>,
  schema: Schema = pipelineSchema
): string {
  const written = withoutDefaults(pipeline.spec, schema.properties?.['spec']) as Readonly<Record<string, unknown>>
  const { scaling: _scaling, suspend: _suspend, mode: _mode, consumer = {}, ...read } = written
  const { image: _image, upgrade: _upgrade, rollout: _rollout, ...pods } = consumer as Record<string, unknown>
  const { readyTimeout: _readyTimeout, ...consumers } = pods
  return hash(canonical({ ...read, consumer: consumers, image }), 40)
}

export function revisionObject(pipeline: BronzePipeline, { name, asked, config, template }: Revision): KubeObject {
  const data = { 'pipeline.yaml': config, 'template.json': `${JSON.stringify(template)}\n`, asked }
  return owned(pipeline, CONFIG_MAPS, name, { immutable: true, data })
}

/** How much of a ConfigMap a revision takes. */
export const bytesOf = ({ config, template, asked }: Revision): number =>
  Buffer.byteLength(config) + Buffer.byteLength(JSON.stringify(template)) + asked.length + 64

/**
 * The revision that a ConfigMap holds; undefined when it holds none, or not what its name promises: then somebody else made
 * it, and pods of his making must not run in our name.
 */
export function revisionIn(pipelineName: string, object: KubeObject | undefined): Revision | undefined {
  const { data } = (object ?? {}) as { readonly data?: Readonly<Record<string, unknown>> }
  const [config, text, asked] = [data?.['pipeline.yaml'], data?.['template.json'], data?.['asked']]
  if (object === undefined || typeof config !== 'string' || typeof text !== 'string' || typeof asked !== 'string') {
    return undefined
  }
  const { name } = object.metadata
  const template = parsed(text)
  if (template === undefined) return undefined
  const rendering = { config, template: mounting(template, name, SELF) }
  return name === nameOf(pipelineName, { asked, ...rendering }) ? { name, asked, config, template } : undefined
}

/** The ConfigMap that pods of a template mount. */
export const configOf = (template: { readonly spec?: { readonly volumes?: readonly Volume[] } } | undefined) =>
  template?.spec?.volumes?.find(({ configMap }) => configMap !== undefined)?.configMap?.name

/** The Secrets that pods of a template mount, in order. */
export const mountedSecrets = ({ spec }: PodTemplate): readonly string[] =>
  (spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []).toSorted()

/** Those whose change calls for new pods. Templates of 0.1.0 do not tell: then all. */
export function restartSecrets(template: PodTemplate): readonly string[] {
  const told = template.metadata.annotations?.[RESTART_SECRETS]
  const mounted = mountedSecrets(template)
  return told === undefined ? mounted : mounted.filter(name => told.split(',').includes(name))
}

/** Stands for the revision's own name where its content is hashed. */
const SELF = ''

/**
 * Hexadecimal characters of the hash in a name. With half as many, who shapes the content of one and may make ConfigMaps could
 * look for two contents of one name, and give it a pod of his own making.
 */
const NAME_HASH = 40

function nameOf(pipelineName: string, { asked, config, template }: Omit<Revision, 'name'>): string {
  return `${pipelineName}-config-${hash(JSON.stringify([asked, config, template]), NAME_HASH)}`
}

function mounting(template: PodTemplate, from: string, to: string): PodTemplate {
  const volumes = template.spec.volumes?.map(volume =>
    volume.configMap?.name === from ? { ...volume, configMap: { ...volume.configMap, name: to } } : volume
  )
  return volumes === undefined ? template : { ...template, spec: { ...template.spec, volumes } }
}

function parsed(text: string): PodTemplate | undefined {
  try {
    const template = JSON.parse(text) as Partial<PodTemplate> | null
    const isOne = typeof template?.metadata === 'object' && Array.isArray(template.spec?.containers)
    return isOne ? (template as PodTemplate) : undefined
  } catch {
    return undefined
  }
}

/** As it is after a round trip: without fields that are undefined. */
const plain = (rendering: Rendering): Rendering => JSON.parse(JSON.stringify(rendering)) as Rendering

/** JSON with the fields of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part
  )
}

const hash = (text: string, characters: number) => createHash('sha256').update(text).digest('hex').slice(0, characters)
