/** A way to replace all consumers, as Kubernetes would carry it out. */
export interface Strategy {
  readonly name: string
  readonly what: string
  /** `new`: a pod's name is the member's name. `kept`: the slot's name is, whatever pod runs in it. */
  readonly names: 'new' | 'kept'
  readonly order: 'together' | 'highest first' | 'lowest first'
  /**
   * When the new pods start: with the deletion of the old ones (Deployments count no pod that is ending), after the end of the one
   * they replace, or after the end of all.
   */
  readonly starts: 'at once' | 'after its own' | 'after all'
  /** Whether a stopped consumer keeps its place in the group until its session ends. Ours leave. */
  readonly stays: boolean
}

const SLOTS = { names: 'kept', starts: 'after its own' } as const

export const STRATEGIES: readonly Strategy[] = [
  {
    name: 'full-stop',
    what: 'Deployment, RollingUpdate with maxSurge 0 and maxUnavailable 100 % (`rollout: Recreate`)',
    names: 'new',
    order: 'together',
    starts: 'at once',
    stays: false
  },
  {
    name: 'recreate',
    what: 'Deployment, strategy Recreate',
    names: 'new',
    order: 'together',
    starts: 'after all',
    stays: false
  },
  {
    name: 'rolling',
    what: 'Deployment, RollingUpdate with maxSurge 0 and maxUnavailable 1 (`rollout: Rolling`)',
    names: 'new',
    order: 'lowest first',
    starts: 'at once',
    stays: false
  },
  { name: 'stateful-set', what: 'StatefulSet, ordinals', order: 'highest first', stays: false, ...SLOTS },
  { name: 'slots', what: 'a Deployment per slot, all at once', order: 'together', stays: false, ...SLOTS },
  { name: 'slots-in-turn', what: 'a Deployment per slot, in turn', order: 'lowest first', stays: false, ...SLOTS },
  { name: 'stateful-set-stays', what: 'StatefulSet, places kept', order: 'highest first', stays: true, ...SLOTS },
  {
    name: 'slots-stay',
    what: 'a Deployment per slot, all at once, places kept',
    order: 'together',
    stays: true,
    ...SLOTS
  },
  {
    name: 'slots-in-turn-stay',
    what: 'a Deployment per slot, in turn, places kept',
    order: 'lowest first',
    stays: true,
    ...SLOTS
  }
]

/** What a roll acts on. Times are the caller's. */
export interface Pods {
  /** Ends it; resolves when its process is gone. */
  readonly stop: (slot: number) => Promise<void>
  /** Starts the slot's next pod under this member name; resolves when it is ready. */
  readonly start: (slot: number, instance: string) => Promise<void>
}

export const instanceOf = (slot: number, round: number, { names }: Pick<Strategy, 'names'>): string =>
  names === 'kept' ? `slot-${slot}` : `pod-${round}-${slot}`

/** Replaces the pods of all slots; resolves when all new ones are ready. */
export async function roll(strategy: Strategy, slots: number, pods: Pods): Promise<void> {
  const all = Array.from({ length: slots }, (_, slot) => slot)
  const { order, starts } = strategy
  const start = (slot: number) => pods.start(slot, instanceOf(slot, 1, strategy))
  if (order !== 'together') {
    for (const slot of order === 'lowest first' ? all : all.toReversed()) await replace(slot)
  } else if (starts === 'after all') {
    await Promise.all(all.map(slot => pods.stop(slot)))
    await Promise.all(all.map(start))
  } else await Promise.all(all.map(replace))

  async function replace(slot: number): Promise<void> {
    const ended = pods.stop(slot)
    if (starts !== 'at once') await ended
    await Promise.all([ended, start(slot)])
  }
}
