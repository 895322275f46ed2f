import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { smallRun } from './small-run.ts'

test(
  'killed consumers and faulty connections: every record is in a Snowflake table or its dead letters exactly once',
  need('kafka', 'snowflake', 'readers'),
  t => smallRun(t, 'snowflake')
)
