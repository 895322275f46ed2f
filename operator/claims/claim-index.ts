import type { Claim } from './claims.ts'

/** What a pipeline may not have, since an older one has it. */
export interface Taken {
  /** Key of the pipeline that has it. */
  readonly holder: string
  readonly what: Claim['what']
  /** As the pipeline that may not have it calls it. */
  readonly name: string
}

/** What a pipeline claims, and since when. */
export interface Claimant {
  readonly createdAtMs: number
  readonly uid: string
  readonly claims: readonly Claim[]
}

interface Thing {
  readonly claiming: Set<string>
  readonly wishing: Set<string>
  /** The oldest of those who claim it. */
  holder: string | undefined
}

/**
 * Who has what, of all pipelines: the oldest that claims it, by time of creation and then by uid; who only wishes for it has
 * it never. A pipeline holds what it claims also while something else keeps it from running, so who has what never depends on the order of events.
 */
export class ClaimIndex {
  readonly #claimants = new Map<string, Claimant>()
  readonly #things = new Map<string, Thing>()
  readonly #taken = new Map<string, Taken>()

  /** Gives the keys for which `holderOf` has changed; it takes the place of what the key claimed before. */
  set(key: string, claimant: Claimant): readonly string[] {
    const touched = new Set([key])
    this.#remove(key, touched)
    this.#claimants.set(key, claimant)
    for (const { id, isWish = false } of claimant.claims) {
      const thing = this.#things.get(id) ?? { claiming: new Set(), wishing: new Set(), holder: undefined }
      this.#things.set(id, thing)
      const asking = isWish ? thing.wishing : thing.claiming
      asking.add(key)
      if (isWish || (thing.holder !== undefined && !this.#isOlder(key, thing.holder))) continue
      thing.holder = key
      addAll(touched, thing.claiming)
      addAll(touched, thing.wishing)
    }
    return this.#judge(touched)
  }

  /** Gives the keys for which `holderOf` has changed. */
  delete(key: string): readonly string[] {
    const touched = new Set<string>()
    this.#remove(key, touched)
    const hadOne = this.#taken.delete(key)
    return [...this.#judge(touched), ...(hadOne ? [key] : [])]
  }

  /** The first of a pipeline's claims that an older pipeline has. */
  holderOf(key: string): Taken | undefined {
    return this.#taken.get(key)
  }

  #remove(key: string, touched: Set<string>): void {
    const before = this.#claimants.get(key)
    this.#claimants.delete(key)
    for (const { id } of before?.claims ?? []) {
      const thing = this.#things.get(id)
      if (thing === undefined) continue
      thing.claiming.delete(key)
      thing.wishing.delete(key)
      if (thing.claiming.size + thing.wishing.size === 0) this.#things.delete(id)
      if (thing.holder !== key) continue
      thing.holder = undefined
      for (const other of thing.claiming) {
        if (thing.holder === undefined || this.#isOlder(other, thing.holder)) thing.holder = other
      }
      addAll(touched, thing.claiming)
      addAll(touched, thing.wishing)
    }
  }

  /** Brings the answers for these keys up to date and gives those that are not what they were. */
  #judge(touched: ReadonlySet<string>): readonly string[] {
    return [...touched].filter(key => {
      const [before, now] = [this.#taken.get(key), this.#find(key)]
      if (now === undefined) this.#taken.delete(key)
      else this.#taken.set(key, now)
      return before?.holder !== now?.holder || before?.what !== now?.what || before?.name !== now?.name
    })
  }

  #find(key: string): Taken | undefined {
    for (const { id, what, name } of this.#claimants.get(key)?.claims ?? []) {
      const holder = this.#things.get(id)?.holder
      if (holder !== undefined && holder !== key) return { holder, what, name }
    }
    return undefined
  }

  #isOlder(one: string, other: string): boolean {
    const [a, b] = [this.#claimants.get(one), this.#claimants.get(other)]
    if (a === undefined || b === undefined) return b === undefined
    if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs < b.createdAtMs
    return a.uid === b.uid ? one < other : a.uid < b.uid
  }
}

function addAll(set: Set<string>, keys: Iterable<string>): void {
  for (const key of keys) set.add(key)
}
