import { columnsRules } from './rules/columns.ts'
import { consumerRules } from './rules/consumer.ts'
import { pipelineRules } from './rules/pipeline.ts'
import type { Rule } from './rules/rule.ts'
import { sinkRules } from './rules/sink.ts'
import { sourceRules } from './rules/source.ts'
import { topicRules } from './rules/topic.ts'

/** The twins of all CEL rules of the definition, by message. */
export const rules: ReadonlyMap<string, Rule> = new Map([
  ...pipelineRules,
  ...sourceRules,
  ...topicRules,
  ...columnsRules,
  ...sinkRules,
  ...consumerRules
])
