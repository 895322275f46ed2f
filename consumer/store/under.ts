import type { ObjectStore } from './object-store.ts'

/** The part of a store below `prefix` (which ends in `/`), as a store. Closing it does nothing: the whole is shared. */
export function under(store: ObjectStore, prefix: string): ObjectStore {
  return {
    location: `${store.location.replace(/\/$/, '')}/${prefix}`,
    get: async path => await store.get(prefix + path),
    getRange: async (path, start, end) => await store.getRange(prefix + path, start, end),
    size: async path => await store.size(prefix + path),
    put: async (path, chunks) => await store.put(prefix + path, chunks),
    putIfAbsent: async (path, chunks) => await store.putIfAbsent(prefix + path, chunks),
    copy: async (from, to) => await store.copy(prefix + from, prefix + to),
    list: (path, startAfter, limit) => listUnder(store, prefix, path, startAfter, limit),
    folders: async path => await store.folders(prefix + path),
    delete: async path => await store.delete(prefix + path),
    close: async () => {}
  }
}

async function* listUnder(
  store: ObjectStore,
  prefix: string,
  path: string,
  startAfter: string | undefined,
  limit: number | undefined
) {
  const after = startAfter === undefined ? undefined : prefix + startAfter
  for await (const found of store.list(prefix + path, after, limit)) {
    yield { ...found, path: found.path.slice(prefix.length) }
  }
}
