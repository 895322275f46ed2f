/** Items in order, of which any can be taken out: each costs the logarithm of their number. An item is in it once. */
export class Heap<Item> {
  readonly #isBefore: (a: Item, b: Item) => boolean
  readonly #items: Item[] = []
  readonly #places = new Map<Item, number>()

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  get first(): Item | undefined {
    return this.#items[0]
  }

  add(item: Item): void {
    this.#rise(item, this.#items.length)
  }

  /** Whether it was there. Its order must be what it was when it was added. */
  delete(item: Item): boolean {
    const place = this.#places.get(item)
    if (place === undefined) return false
    this.#places.delete(item)
    const last = this.#items.pop()
    if (last === undefined || last === item) return true
    const above = this.#items[(place - 1) >> 1]
    if (place > 0 && above !== undefined && this.#isBefore(last, above)) this.#rise(last, place)
    else this.#sink(last, place)
    return true
  }

  #rise(item: Item, from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#items[parent]
      if (above === undefined || !this.#isBefore(item, above)) break
      this.#put(above, place)
      place = parent
    }
    this.#put(item, place)
  }

  #sink(item: Item, from: number): void {
    let place = from
    for (;;) {
      const [left, right] = [this.#items[2 * place + 1], this.#items[2 * place + 2]]
      const isRight = right !== undefined && left !== undefined && this.#isBefore(right, left)
      const child = isRight ? right : left
      if (child === undefined || !this.#isBefore(child, item)) break
      this.#put(child, place)
      place = 2 * place + (isRight ? 2 : 1)
    }
    this.#put(item, place)
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item
    this.#places.set(item, place)
  }
}
