/**
 * `npm run bench:operator -- --pipelines 5000 --json`: the operator beside a real API server and a real broker. It is given
 * that many pipelines, left alone for a while, and then edits are timed until the Deployment has them.
 */
import { parseArgs } from 'node:util'
import { measureFleet } from './measure.ts'

const { values } = parseArgs({
  options: {
    pipelines: { type: 'string', default: '500' },
    partitions: { type: 'string', default: '3' },
    edits: { type: 'string', default: '300' },
    'idle-seconds': { type: 'string', default: '120' },
    /** Folder for a profile of the operator's CPU time. */
    profile: { type: 'string' },
    json: { type: 'boolean', default: false }
  }
})
const number = (name: 'pipelines' | 'partitions' | 'edits' | 'idle-seconds') => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} is not a number above 0: ${values[name]}`)
}
const startedMs = performance.now()
const figures = await measureFleet({
  pipelines: number('pipelines'),
  partitions: number('partitions'),
  edits: number('edits'),
  idleSeconds: number('idle-seconds'),
  profileFolder: values.profile,
  tell: text => console.log(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}`)
})
if (values.json) console.log(JSON.stringify(figures))
