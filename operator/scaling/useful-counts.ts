/**
 * The numbers of consumers worth running for so many partitions: those that give the busiest consumer fewer partitions than
 * one consumer less would, ascending. For 12 partitions 1, 2, 3, 4, 6 and 12: seven consumers are no faster than six. It is
 * the sum over all topics that counts, since consumers deal all partitions out together, and their counts differ by at
 * most one.
 */
export function usefulCounts(partitions: number): readonly number[] {
  const counts: number[] = []
  // From one useful count straight to the next: there are at most 2·√partitions of them.
  for (let count = 1; count <= partitions;) {
    counts.push(count)
    const share = Math.ceil(partitions / count)
    if (share === 1) break
    count = Math.ceil(partitions / (share - 1))
  }
  return counts
}

/**
 * The useful counts between `least` and `most`; when none lies there, the largest useful one below `most`, which is as fast as
 * `most`. Empty only without partitions.
 */
export function countsWithin(partitions: number, least: number, most: number): readonly number[] {
  const possible = usefulCounts(partitions).filter(count => count <= most)
  const within = possible.filter(count => count >= least)
  return within.length > 0 ? within : possible.slice(-1)
}
