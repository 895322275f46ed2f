import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { runWalks } from '../../walk/run.ts'

// In full: npm run walk -- --specs 2000
test(
  'pipelines that are changed at random are judged alike, reported on, and run as if created so',
  need('kube'),
  async () => {
    const report = await runWalks({
      kube: await sharedKube(),
      specs: 200,
      walkers: 10,
      seed: Date.now() % 1_000_000_000,
      idleSeconds: 30
    })
    console.log(JSON.stringify(report))
    assert.deepEqual(report.pathDependent, [])
    assert.ok(report.reconcilesPerHour <= 60, `${report.reconcilesPerHour} reconciles per pipeline and hour while idle`)
    assert.ok(report.accepted > 50 && report.refused > 30 && report.started > 20, JSON.stringify(report))
  }
)
