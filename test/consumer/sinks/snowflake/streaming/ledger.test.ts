import { testStreamingLedger } from '../../../../conformance/streaming-ledger.ts'
import { plannedTable } from '../../../../conformance/batches.ts'
import { STREAMING_SINK } from '../../../../fakes/snowpipe-harness.ts'
import { MemoryLedger, SqlMemory } from '../../../../fakes/snowpipe-memory.ts'
import { SnowpipeState } from '../../../../fakes/snowpipe-state.ts'

testStreamingLedger('ledger in memory', async () => {
  const state = new SnowpipeState()
  const memory = new SqlMemory(state, plannedTable(STREAMING_SINK).plan)
  const table = state.table('DLQ_ORDERS')
  return {
    process: consumerId =>
      new MemoryLedger(memory, { pipeline: 'lake/one', createdAt: undefined, consumerId }, async (_, effect) =>
        effect()
      ),
    putLetters: async letters => {
      for (const { writeId, partition, offset } of letters)
        table.rows.push({ KAFKA_METADATA: { write_id: writeId, topic: 'orders', partition, offset } })
    },
    letters: async () =>
      table.rows
        .map(row => row['KAFKA_METADATA'] as { write_id: string; partition: number; offset: number })
        .map(({ write_id: id, partition, offset }) => `${id} ${partition}-${offset}`)
        .sort(),
    close: async () => {}
  }
})
