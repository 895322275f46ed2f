import { RetryableError } from '../../lib/errors.ts'
import type { Sink } from '../../consumer/sink.ts'
import type { Source } from '../../consumer/source.ts'
import type { Catalog } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import type { ObjectStore } from '../../consumer/store/object-store.ts'
import { applyChange, type TableJson } from '../fakes/iceberg-metadata.ts'
import type { PlantedBugs } from './simulate.ts'
import type { SinkKind } from './tables.ts'

/** Mistakes that writers of this kind have made; each breaks exactly-once, and the simulation must see it. */
export const PLANTED_BUGS: Readonly<Record<SinkKind, Readonly<Record<string, PlantedBugs>>>> = {
  delta: {
    ...bugsOfPutIfAbsent(),
    ...bugsOfAnySink()
  },
  s3: {
    ...bugsOfPutIfAbsent(),
    'what a commit did not put in place is never looked for': {
      store: store =>
        patched<ObjectStore>(store, {
          size: async path => (path.endsWith('.staged') ? undefined : await store.size(path))
        })
    },
    ...bugsOfAnySink()
  },
  iceberg: {
    'an unknown outcome is taken for success': {
      catalogClient: catalog =>
        patched<Catalog>(catalog, {
          commitTable: async (table, change) => {
            try {
              return await catalog.commitTable(table, change)
            } catch (error) {
              const loaded = await catalog.loadTable(table)
              if (!(error instanceof RetryableError) || loaded === undefined) throw error
              return { metadata: changed(loaded.metadata as TableJson, change) }
            }
          }
        })
    },
    'the catalog puts a snapshot on top, whatever it was made for': {
      catalog: catalog =>
        patched<Catalog>(catalog, {
          commitTable: async (table, change) => {
            const loaded = await catalog.loadTable(table)
            return await catalog.commitTable(table, onTop(change, loaded?.metadata as TableJson))
          }
        })
    },
    ...bugsOfAnySink()
  }
}

/** As if the change had been made; as it is when it was. */
function changed(metadata: TableJson, { updates }: TableChange): TableJson {
  const after = structuredClone(metadata)
  try {
    applyChange(after, { requirements: [], updates }, 0)
    return after
  } catch {
    return metadata
  }
}

function onTop({ requirements, updates }: TableChange, { 'last-sequence-number': last }: TableJson): TableChange {
  const isRef = (each: object) => 'type' in each && each.type === 'assert-ref-snapshot-id'
  return {
    requirements: requirements.filter(each => !isRef(each)),
    updates: updates.map(each =>
      'snapshot' in each ? { ...each, snapshot: { ...(each.snapshot as object), 'sequence-number': last + 1 } } : each
    )
  }
}

/** `target` with some methods replaced; the others keep their `this`. */
function patched<Target extends object>(target: Target, replaced: Partial<Target>): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(replaced, name) ?? Reflect.get(object, name)
      return typeof value === 'function' ? value.bind(object) : value
    }
  })
}

function bugsOfPutIfAbsent(): Readonly<Record<string, PlantedBugs>> {
  return {
    'an unknown outcome is taken for success': {
      store: store =>
        patched<ObjectStore>(store, {
          putIfAbsent: async (path, chunks) => {
            try {
              return await store.putIfAbsent(path, chunks)
            } catch (error) {
              if (error instanceof RetryableError) return 'created'
              throw error
            }
          }
        })
    },
    'put-if-absent overwrites, as some gateways do': {
      store: store =>
        patched<ObjectStore>(store, {
          putIfAbsent: async (path, chunks) => {
            await store.put(path, chunks)
            return 'created'
          }
        })
    }
  }
}

function bugsOfAnySink(): Readonly<Record<string, PlantedBugs>> {
  return {
    'reading goes on one record too far': {
      source: source =>
        patched<Source>(source, {
          seek: positions =>
            source.seek(new Map([...positions].map(([id, offset]) => [id, offset === 0 ? 0 : offset + 1])))
        })
    },
    'a commit does not name what it expects': {
      sink: sink =>
        patched<Sink>(sink, {
          commit: async staged => {
            const topics = [...new Set(staged.flatMap(({ ranges }) => ranges.map(({ topic }) => topic)))]
            const { offsets } = await sink.recover(topics)
            const unfenced = staged.map(each => ({
              ...each,
              ranges: each.ranges.map(range => ({
                ...range,
                expectedOffset: offsets.get(`${range.topic}-${range.partition}`)?.nextOffset
              }))
            }))
            return sink.commit(unfenced)
          }
        })
    }
  }
}
