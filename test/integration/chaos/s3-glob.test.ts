import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { smallRun } from './small-run.ts'

test(
  'killed consumers and a faulty store: what lies in the folders of a table and its dead letters is every record exactly once',
  need('kafka', 's3', 'readers'),
  t => smallRun(t, 's3-glob')
)
