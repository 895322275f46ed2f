import { createHash } from 'node:crypto'
import type { BronzePipeline } from '../../crds/pipeline.ts'
import { corpus } from '../crds/corpus.ts'
import { mutate } from '../crds/mutate.ts'

type Spec = Record<string, unknown>
export type Manifest = { apiVersion: string; kind: string; metadata: Record<string, unknown>; spec: Spec }

const all = corpus().map(({ documents }) => documents.at(-1))
const good = corpus()
  .filter(({ isGood }) => isGood)
  .map(({ documents }) => documents.at(-1) as Manifest)

/** Of steps: a spec of the corpus instead of a change of the one there is, as when somebody copies an example over theirs. */
const COPIED = 0.1
/** Of steps: the source is one that can be reached, so that consumers are started. */
const REACHABLE = 0.8
/** What users change most, and operators get wrong most: how many run, whether they run, and what their pods are like. */
const HABITS: readonly Spec[] = [
  { suspend: true },
  { suspend: false },
  { scaling: { mode: 'External', replicas: 0 } },
  { scaling: { mode: 'External', replicas: 3 } },
  { scaling: { mode: 'Partitions', partitionsPerReplica: 2 } },
  { scaling: { mode: 'Partitions', maxReplicas: 1 } },
  { consumer: { labels: { team: 'a' } } },
  { consumer: { serviceAccountName: 'mine' } },
  { consumer: { rollout: 'Rolling', terminationGracePeriodSeconds: 30 } },
  { consumer: { resources: { requests: { cpu: '0.1', memory: '300Mi' }, limits: { memory: '0.5Gi' } } } },
  { consumer: {} },
  { batch: { triggerInterval: '5s' } }
]

/** The next manifest of a walk: what somebody might make of the one before. */
export function nextManifest(before: Manifest | undefined, bootstrap: string, random: () => number): Manifest {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const from = before === undefined || random() < COPIED ? pick(good) : before
  const habit = random() < 0.4
  const changed = habit ? { ...from, spec: { ...from.spec, ...pick(HABITS) } } : (mutate(from, all, random) as Manifest)
  if (random() >= REACHABLE || !isObject(changed.spec) || !isObject(changed.spec['source'])) return changed
  const { security: _security, ...source } = changed.spec['source']
  return { ...changed, spec: { ...changed.spec, source: { ...source, bootstrapServers: [bootstrap] } } }
}

const isObject = (value: unknown): value is Spec => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The same with tables and a group of the walker's own, as far as it can be: pipelines that claim the same would stop one
 * another, and which of them runs depends on who came first.
 */
export function ofItsOwn(manifest: Manifest, walker: string): Manifest {
  const { spec } = manifest
  if (!isObject(spec)) return manifest
  const { source, topics } = spec
  const mark = (value: unknown, valid: RegExp, suffix: string) =>
    typeof value === 'string' && valid.test(value) && !value.endsWith(suffix) ? `${value}${suffix}` : value
  const ownSource = isObject(source) && 'groupId' in source
  const ownTopic = (topic: unknown) =>
    isObject(topic)
      ? { ...topic, ...('table' in topic ? { table: mark(topic['table'], TABLE, `_${walker}`) } : {}) }
      : topic
  return {
    ...manifest,
    spec: {
      ...spec,
      ...(ownSource ? { source: { ...source, groupId: mark(source['groupId'], GROUP, `.${walker}`) } } : {}),
      ...(Array.isArray(topics) ? { topics: topics.map(ownTopic) } : {})
    }
  }
}

const TABLE = /^[A-Za-z_][A-Za-z0-9_]{0,40}([.][A-Za-z_][A-Za-z0-9_]{0,40}){0,2}$/
const GROUP = /^[A-Za-z0-9._-]{1,200}$/

/** The topics that a pipeline names. */
export const topicsOf = ({ spec }: BronzePipeline): readonly string[] =>
  spec.topics.filter(({ pattern }) => pattern === undefined).map(({ name, topic }) => topic ?? name)

/** How many partitions a topic has: always the same for a name. */
export const partitionsOf = (topic: string): number => 1 + ((createHash('sha256').update(topic).digest()[0] ?? 0) % 4)
