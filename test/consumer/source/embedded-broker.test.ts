import { after } from 'node:test'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import { TestCluster } from './test-cluster.ts'
import { testDeadLetters } from './dead-letters.ts'
import { testSource } from './source-laws.ts'

const broker = await startBroker()
const cluster = new TestCluster(broker.bootstrap)

after(async () => {
  await cluster.close()
  await broker.stop()
})

testSource('embedded broker', {}, async () => cluster, 1500)
testDeadLetters('embedded broker', {}, async () => cluster)
