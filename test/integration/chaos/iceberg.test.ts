import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { smallRun } from './small-run.ts'

test(
  'killed consumers, a faulty store and a faulty catalog: every record is in an Iceberg table or its dead letters exactly once',
  need('kafka', 's3', 'catalog', 'readers'),
  t => smallRun(t, 'iceberg')
)
