import { columnsRules } from './rules/columns.ts'
import { consumerRules } from './rules/consumer.ts'
import { pipelineRules } from './rules/pipeline.ts'
import type { Rule } from './rules/rule.ts'
import { s3Rules } from './rules/s3.ts'
import { scalingRules } from './rules/scaling.ts'
import { sinkFitRules } from './rules/sink-fit.ts'
import { sinkRules } from './rules/sink.ts'
import { snowflakeRules } from './rules/snowflake.ts'
import { sourceRules } from './rules/source.ts'
import { topicRules } from './rules/topic.ts'

/** The twins of all CEL rules of the definition, by message. */
export const rules: ReadonlyMap<string, Rule> = new Map([
  ...pipelineRules,
  ...sourceRules,
  ...topicRules,
  ...columnsRules,
  ...sinkRules,
  ...sinkFitRules,
  ...snowflakeRules,
  ...s3Rules,
  ...consumerRules,
  ...scalingRules
])
