import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { TestSource } from './harness.ts'
import { groupLaws } from './laws/group.ts'
import type { Law, Overrides } from './laws/law.ts'
import { lossLaws } from './laws/loss.ts'
import { readingLaws } from './laws/reading.ts'
import { startLaws } from './laws/start.ts'
import { wireLaws } from './laws/wire.ts'
import type { TestCluster } from './test-cluster.ts'

/** The laws of a source, the same on every broker. `sessionTimeoutMs` is the least the broker takes. */
export function testSource(
  name: string,
  options: { skip?: string },
  clusterOf: () => Promise<TestCluster>,
  sessionTimeoutMs: number
): void {
  const law: Law = (title, run) => {
    test(`${name}: ${title}`, options, async () => {
      const cluster = await clusterOf()
      const topic = `t-${randomBytes(6).toString('hex')}`
      const sources: TestSource[] = []
      const open = async (overrides: Overrides = {}) => {
        const source = new TestSource({
          bootstrap: cluster.bootstrap,
          groupId: `g-${topic}`,
          topics: [topic],
          ...overrides,
          limits: { sessionTimeoutMs, ...overrides.limits }
        })
        sources.push(source)
        await source.source.open()
        return source
      }
      try {
        await run({ cluster, topic, open })
      } finally {
        await Promise.all(sources.map(({ source }) => source.close({ leave: true })))
      }
    })
  }
  readingLaws(law)
  groupLaws(law)
  startLaws(law)
  lossLaws(law)
  wireLaws(law)
}
