import { after } from 'node:test'
import { testDeadLetters } from '../../consumer/source/dead-letters.ts'
import { testSource } from '../../consumer/source/source-laws.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

let cluster: Promise<TestCluster> | undefined

after(async () => {
  await (await cluster)?.close()
})

const clusterOf = () => (cluster ??= sharedKafka().then(({ bootstrap }) => new TestCluster(bootstrap)))

testSource('Apache Kafka', need('kafka'), clusterOf, 6000)
testDeadLetters('Apache Kafka', need('kafka'), clusterOf)
