import { invariant } from '../lib/errors.ts'

/**
 * Whether a topic's whole name matches the pattern of an entry, in time that grows with the length of both: patterns and
 * names come from strangers, and a backtracking engine could be kept busy for ever by them. Understands what the schema
 * lets through as `spec.topics[].pattern`.
 */
export function topicPattern(pattern: string): (name: string) => boolean {
  const end: State = { next: [] }
  const start = new Compiler(pattern).compile(end)
  return name => {
    let states = reached([start])
    for (const character of name) {
      states = reached([...states].filter(state => state.accepts?.(character) === true).flatMap(state => state.next))
    }
    return states.has(end)
  }
}

/** Of a non-deterministic automaton: one with `accepts` is left by a character, one without at once. */
interface State {
  readonly accepts?: (character: string) => boolean
  readonly next: State[]
}

/** These states and all that can be reached from them without a character. */
function reached(states: readonly State[]): ReadonlySet<State> {
  const found = new Set(states)
  for (const state of found) if (!state.accepts) for (const next of state.next) found.add(next)
  return found
}

/** Something of the pattern, as a way to reach the state that comes after it. */
type Part = (after: State) => State

const DIGIT = (character: string) => character >= '0' && character <= '9'
const WORD = (character: string) => /^\w$/.test(character)
const ESCAPES: Readonly<Record<string, (character: string) => boolean>> = {
  '.': character => character === '.',
  d: DIGIT,
  D: character => !DIGIT(character),
  w: WORD,
  W: character => !WORD(character)
}

class Compiler {
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  compile(end: State): State {
    const start = this.#alternatives()(end)
    invariant(this.#at === this.#pattern.length, 'brackets of an accepted pattern are balanced')
    return start
  }

  #alternatives(): Part {
    const parts = [this.#sequence()]
    while (this.#took('|')) parts.push(this.#sequence())
    return after => ({ next: parts.map(part => part(after)) })
  }

  #sequence(): Part {
    const parts: Part[] = []
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern[this.#at]!)) {
      parts.push(this.#took('(') ? this.#group() : this.#repeated(single(this.#character())))
    }
    return after => parts.reduceRight((state, part) => part(state), after)
  }

  #group(): Part {
    this.#took('?:')
    const inner = this.#alternatives()
    invariant(this.#took(')'), 'brackets of an accepted pattern are balanced')
    return this.#took('?') ? optional(inner) : inner
  }

  #character(): (character: string) => boolean {
    if (this.#took('.')) return () => true
    if (this.#took('[')) return this.#class()
    if (this.#took('\\')) return ESCAPES[this.#pattern[this.#at++]!]!
    const own = this.#pattern[this.#at++]
    return character => character === own
  }

  #class(): (character: string) => boolean {
    const isNegated = this.#took('^')
    const close = this.#pattern.indexOf(']', this.#at)
    const ranges = [...this.#pattern.slice(this.#at, close).matchAll(/(.)-(.)|./g)]
    this.#at = close + 1
    const holds = (character: string) =>
      ranges.some(([all, from = all, to = all]) => character >= from && character <= to)
    return character => holds(character) !== isNegated
  }

  #repeated(part: Part): Part {
    if (this.#took('*')) return star(part)
    if (this.#took('+')) return after => part(star(part)(after))
    if (this.#took('?')) return optional(part)
    if (!this.#took('{')) return part
    const close = this.#pattern.indexOf('}', this.#at)
    const [least = '', most = least] = this.#pattern.slice(this.#at, close).split(',')
    this.#at = close + 1
    return counted(part, Number(least), most === '' ? undefined : Number(most))
  }

  #took(text: string): boolean {
    const isNext = this.#pattern.startsWith(text, this.#at)
    if (isNext) this.#at += text.length
    return isNext
  }
}

function single(accepts: (character: string) => boolean): Part {
  return after => ({ accepts, next: [after] })
}

function optional(part: Part): Part {
  return after => ({ next: [part(after), after] })
}

function star(part: Part): Part {
  return after => {
    const loop: State = { next: [after] }
    loop.next.push(part(loop))
    return loop
  }
}

function counted(part: Part, least: number, most: number | undefined): Part {
  return after => {
    let state = most === undefined ? star(part)(after) : after
    for (let more = least; more < (most ?? least); more++) state = { next: [part(state), after] }
    for (let count = 0; count < least; count++) state = part(state)
    return state
  }
}
