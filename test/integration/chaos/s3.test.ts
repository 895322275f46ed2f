import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { smallRun } from './small-run.ts'

test(
  'killed consumers and a faulty store: every record is named by a commit, in a table or its dead letters, exactly once',
  need('kafka', 's3', 'readers'),
  t => smallRun(t, 's3')
)
