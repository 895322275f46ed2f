import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureFleet } from '../../../bench/operator/measure.ts'
import { need } from '../../servers/need.ts'

// In full: npm run bench:operator -- --pipelines 5000 --json
test('500 pipelines cost the operator and the API server what they should', need('kube', 'kafka'), async () => {
  const figures = await measureFleet({
    pipelines: 500,
    partitions: 1,
    edits: 20,
    idleSeconds: 30,
    profileFolder: undefined,
    tell: console.log
  })
  console.log(JSON.stringify(figures))
  const { rssMiB, intakeCallsPerPipeline, apiCallsPerPipelineHour, reconnectsPerWatchMinute } = figures
  assert.ok(rssMiB < 250, `${rssMiB} MiB`)
  assert.ok(intakeCallsPerPipeline < 16, `${intakeCallsPerPipeline} requests to bring up one pipeline`)
  assert.ok(apiCallsPerPipelineHour < 60, `${apiCallsPerPipelineHour} requests per idle pipeline and hour`)
  assert.ok(reconnectsPerWatchMinute <= 0.3, `${reconnectsPerWatchMinute} reconnects per watch and minute`)
})
