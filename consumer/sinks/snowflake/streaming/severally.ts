/** Requests at once; the service counts them per channel, and each of ours goes to another. */
const MAX_AT_ONCE = 8

/** A few at a time, results in the order of the items. Nothing is under way any more when it fails. */
export async function severally<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += MAX_AT_ONCE) {
    const some = items.slice(start, start + MAX_AT_ONCE)
    for (const result of await Promise.allSettled(some.map(async item => await work(item)))) {
      if (result.status === 'rejected') throw result.reason
      results.push(result.value)
    }
  }
  return results
}
