import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { smallRun } from './small-run.ts'

test(
  'a faulty catalog that commits table and dead letters in one step: every record is in one of them exactly once',
  need('kafka', 's3', 'catalog', 'readers'),
  t => smallRun(t, 'iceberg-transactions')
)
