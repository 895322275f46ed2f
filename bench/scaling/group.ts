import { assign, type AssignableMember, type TopicPartition } from '../../consumer/source/assigner.ts'
import { CONSUMER_RATE, PARTITIONS, PARTITIONS_PER_TOPIC, TOPICS } from './traffic.ts'

/** From a pod's creation until it has joined the group. */
const START_SECONDS = 20
/** Nobody writes while the group deals out its partitions anew: more than ours takes, so that rebalances are not cheap. */
const REBALANCE_SECONDS = 6
const TRIGGER_SECONDS = 10

interface Member {
  readonly id: string
  readonly joinsAt: number
  owned: readonly TopicPartition[]
}

/** A consumer group and its pods: who holds what, what was read, and what is committed. Time is in seconds. */
export class Group {
  #members: Member[] = []
  #joined: readonly Member[] = []
  #pausedUntil = 0
  #generation = 0
  #nextId = 0
  rebalances = 0
  readonly ends = new Float64Array(PARTITIONS)
  readonly committed = new Float64Array(PARTITIONS)
  readonly #read = new Float64Array(PARTITIONS)

  get pods(): number {
    return this.#members.length
  }

  joined(second: number): number {
    return this.#members.filter(({ joinsAt }) => joinsAt <= second).length
  }

  isStable(second: number): boolean {
    return second >= this.#pausedUntil
  }

  /** The youngest pods go first, as a ReplicaSet does it. */
  scaleTo(replicas: number, second: number): void {
    this.#members = this.#members.slice(0, replicas)
    while (this.#members.length < replicas) this.#members.push(this.#started(second))
  }

  /** All pods are replaced at once. */
  roll(second: number): void {
    this.#members = this.#members.map(() => this.#started(second))
  }

  #started(second: number): Member {
    return { id: `pod-${String(this.#nextId++).padStart(6, '0')}`, joinsAt: second + START_SECONDS, owned: [] }
  }

  step(second: number, arrived: Float64Array, sinkRate: number, areBrokersAway: boolean): void {
    for (let index = 0; index < PARTITIONS; index++) this.ends[index]! += arrived[index]!
    const members = this.#members.filter(({ joinsAt }) => joinsAt <= second)
    const hasChanged =
      members.length !== this.#joined.length || members.some((member, at) => member !== this.#joined[at])
    if (hasChanged) this.#rebalance(members, second)
    if (areBrokersAway || second < this.#pausedUntil) return
    // Many consumers at a slow sink take longer for each commit; together they write what it takes.
    const rate = Math.min(CONSUMER_RATE, sinkRate / Math.max(1, members.length))
    for (const { owned } of members) this.#readSome(owned.map(indexOf), rate, second)
  }

  #rebalance(members: readonly Member[], second: number): void {
    this.#joined = members
    this.#generation++
    if (this.#members.length > 0) this.rebalances++
    this.#pausedUntil = second + REBALANCE_SECONDS
    // What was read and not committed is read again by whoever has the partition then.
    this.#read.set(this.committed)
    const topics = new Set(Array.from({ length: TOPICS }, (_, index) => `topic-${index}`))
    const generation = this.#generation
    const assignable = members.map(({ id, owned }): AssignableMember => ({ memberId: id, topics, owned, generation }))
    const dealt = assign(assignable, new Map([...topics].map(topic => [topic, PARTITIONS_PER_TOPIC])))
    for (const member of members) member.owned = dealt.get(member.id) ?? []
  }

  /** A consumer takes evenly from its partitions, and commits at its interval, or at once when it is busy. */
  #readSome(own: readonly number[], rate: number, second: number): void {
    let left = rate
    let waiting = own.filter(index => this.ends[index]! > this.#read[index]!)
    while (left > 0.001 && waiting.length > 0) {
      const share = left / waiting.length
      for (const index of waiting) {
        const taken = Math.min(share, this.ends[index]! - this.#read[index]!)
        this.#read[index]! += taken
        left -= taken
      }
      waiting = waiting.filter(index => this.ends[index]! - this.#read[index]! > 0.001)
    }
    const isBusy = left <= 0.001
    if (!isBusy && second % TRIGGER_SECONDS !== 0) return
    for (const index of own) this.committed[index] = this.#read[index]!
  }
}

const indexOf = ({ topic, partition }: TopicPartition): number =>
  Number(topic.slice('topic-'.length)) * PARTITIONS_PER_TOPIC + partition
