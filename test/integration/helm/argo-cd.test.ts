import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parsePipeline } from '../../../crds/validate.ts'
import { plan, type Observed } from '../../../operator/plan.ts'
import { aLag, aPipeline, foreign, IMAGE, inPeace, NOW, observing } from '../../operator/given.ts'
import { installed } from '../../servers/cache.ts'
import { need } from '../../servers/need.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const peace = inPeace()
const suspended = (observed: Observed) => {
  const pipeline = { ...observed.pipeline, spec: aPipeline({ suspend: true }).spec }
  return { ...observed, pipeline, parsed: parsePipeline(pipeline) }
}

/** What the operator sees, and what Argo CD is to say of what the operator then writes. */
const CASES: Readonly<Record<string, readonly [observed: Observed, health: string]>> = {
  'a pipeline in peace': [peace, 'Healthy'],
  'one that is far behind': [
    { ...peace, source: { lag: aLag({ lag: 1e9, behindSeconds: 1e6 }), trouble: undefined } },
    'Healthy'
  ],
  'one that was just made': [observing(aPipeline()), 'Progressing'],
  'one whose brokers were not asked yet': [
    observing(aPipeline(), { source: { lag: undefined, trouble: undefined } }),
    'Progressing'
  ],
  'one whose consumers are not ready': [notReady(peace), 'Progressing'],
  'one whose brokers are away': [
    { ...peace, source: { lag: undefined, trouble: { reason: 'SourceUnreachable', message: 'no broker answers' } } },
    'Degraded'
  ],
  'one whose table cannot be written': [
    { ...peace, source: { lag: aLag({}, { sinkError: 'S3Unavailable' }), trouble: undefined } },
    'Degraded'
  ],
  'one whose Secret is missing': [{ ...observing(aPipeline()), secrets: new Map([['minio', undefined]]) }, 'Degraded'],
  'one whose name is taken': [observing(aPipeline(), { deployment: foreign(peace.deployment!) }), 'Degraded'],
  'one whose consumers end for good': [ended(peace), 'Degraded'],
  'one that is suspended and still drains': [suspended(peace), 'Progressing'],
  'one that is suspended': [suspended(observing(aPipeline({ suspend: true }))), 'Suspended']
}

suite("Argo CD's health of a pipeline", need('packaging'), () => {
  test('is as its conditions are', async t => {
    const objects = Object.values(CASES).map(([observed]) => {
      const { pipeline } = observed
      return { ...pipeline, status: plan(observed, IMAGE, NOW).status }
    })
    const names = Object.keys(CASES)
    const healths = await run(t, objects)
    assert.deepEqual(
      names.map((name, index) => `${name}: ${healths[index]?.status}`),
      Object.entries(CASES).map(([name, [, health]]) => `${name}: ${health}`)
    )
    assert.ok(healths.every(({ message }) => message !== ''))
  })

  test('is Progressing before the operator has seen the pipeline, or its newest spec', async t => {
    const { status } = plan(peace, IMAGE, NOW)
    const edited = { ...peace.pipeline, metadata: { ...peace.pipeline.metadata, generation: 4 }, status }
    const { status: _status, ...unseen } = peace.pipeline
    assert.deepEqual(
      (await run(t, [edited, unseen])).map(health => health.status),
      ['Progressing', 'Progressing']
    )
  })
})

function notReady(observed: Observed): Observed {
  const { deployment } = observed
  return { ...observed, deployment: { ...deployment!, status: { ...deployment?.status, readyReplicas: 1 } } }
}

function ended(observed: Observed): Observed {
  const terminated = { exitCode: 78, message: JSON.stringify({ reason: 'S3AccessDenied', message: 'no permission' }) }
  const containerStatuses = [{ name: 'consumer', ready: false, lastState: { terminated } }]
  const pods = observed.pods.map(pod => ({ ...pod, status: { containerStatuses } }))
  return { ...notReady(observed), pods }
}

interface Health {
  readonly status: string
  readonly message: string
}

/** Runs the script as Argo CD does, with each object in `obj`, in the interpreter that Argo CD has. */
async function run(
  t: { after: (work: () => Promise<void>) => void },
  objects: readonly object[]
): Promise<readonly Health[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-lua-'))
  t.after(() => rm(folder, { recursive: true }))
  const script = await readFile(join(root, 'deploy/argo-cd/health.lua'), 'utf8')
  const literals = objects.map(object => lua(JSON.parse(JSON.stringify(object))))
  const program = [
    `local function judge()\n${script}\nend`,
    `for _, each in ipairs({ ${literals.join(',\n')} }) do`,
    '  obj = each',
    '  local health = judge()',
    '  print(health.status .. "\\t" .. health.message)',
    'end'
  ]
  await writeFile(join(folder, 'program.lua'), program.join('\n'))
  const { stdout } = await promisify(execFile)(installed('packaging', 'glua'), [join(folder, 'program.lua')])
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => {
      const [status = '', message = ''] = line.split('\t')
      return { status, message }
    })
}

/** JSON as a literal of Lua; text as bytes, so that nothing in it can end it. */
function lua(value: unknown): string {
  if (value === null) return 'nil'
  if (typeof value === 'string')
    return `"${[...Buffer.from(value)].map(byte => `\\${String(byte).padStart(3, '0')}`).join('')}"`
  if (Array.isArray(value)) return `{ ${value.map(lua).join(', ')} }`
  if (typeof value === 'object')
    return `{ ${Object.entries(value)
      .map(([name, part]) => `[${lua(name)}] = ${lua(part)}`)
      .join(', ')} }`
  return JSON.stringify(value)
}
