import { after } from 'node:test'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { testSource } from '../../consumer/source/source-laws.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

let cluster: Promise<TestCluster> | undefined

after(async () => {
  await (await cluster)?.close()
})

testSource(
  'Apache Kafka',
  need('kafka'),
  () => (cluster ??= sharedKafka().then(({ bootstrap }) => new TestCluster(bootstrap)))
)
