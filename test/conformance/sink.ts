import { test, type TestOptions } from 'node:test'
import { basicLaws } from './sink-basics.ts'
import { SinkContext, type Law, type SinkHarness } from './sink-context.ts'
import { deadLetterLaws } from './sink-dead-letters.ts'
import { fencingLaws } from './sink-fencing.ts'
import { growthLaws } from './sink-growth.ts'
import { schemaLaws } from './sink-schema.ts'
import { unknownOutcomeLaws } from './sink-unknown-outcomes.ts'

/** The laws of `Sink`, as tests. Faults come from the client's side, so they run on fakes and on real servers alike. */
export function testSink(name: string, makeHarness: () => Promise<SinkHarness>, options: TestOptions = {}): void {
  const law: Law = (what, prove) => {
    test(`${name}: ${what}`, options, async () => {
      const harness = await makeHarness()
      const context = new SinkContext(harness)
      try {
        await prove(context)
      } finally {
        await context.close()
      }
    })
  }
  basicLaws(law)
  fencingLaws(law)
  unknownOutcomeLaws(law)
  deadLetterLaws(law)
  schemaLaws(law)
  growthLaws(law)
}
