/**
 * `npm run walk -- --specs 2000`: pipelines that are changed at random again and again, under a real API server. The API
 * server and ajv must agree on every spec, the status must come to speak of it, what runs must not depend on the way there,
 * and nothing may go on without a reason.
 */
import { parseArgs } from 'node:util'
import { startKube } from '../servers/kube.ts'
import { runWalks } from './run.ts'

const { values } = parseArgs({
  options: {
    specs: { type: 'string', default: '2000' },
    walkers: { type: 'string', default: '20' },
    seed: { type: 'string' },
    'idle-seconds': { type: 'string', default: '120' }
  }
})
const kube = await startKube()
try {
  const report = await runWalks({
    kube,
    specs: Number(values.specs),
    walkers: Number(values.walkers),
    seed: values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed),
    idleSeconds: Number(values['idle-seconds'])
  })
  console.log(JSON.stringify(report))
  if (report.pathDependent.length > 0 || report.reconcilesPerHour > 60) process.exitCode = 1
} finally {
  await kube.stop()
}
