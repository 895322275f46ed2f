import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-usage-'))
  await mkdir(join(folder, 'tmp'))
  await writeFile(join(folder, 'one.yaml'), pipeline('taxi', 'lakehouse'))
  await writeFile(join(folder, 'two.yaml'), `${pipeline('taxi', 'lakehouse')}---\n${pipeline('taxi', 'staging')}`)
  await writeFile(join(folder, 'bad.yaml'), pipeline('taxi', 'lakehouse').replace('Json', 'Jsn'))
  await writeFile(join(folder, 'suspended.yaml'), `${pipeline('taxi', 'lakehouse')}  suspend: true\n`)
  await writeFile(join(folder, 'hostile.yaml'), `${pipeline('taxi', 'lakehouse')}---\n${HOSTILE}`)
  await writeFile(join(folder, 'none.yaml'), 'kind: ConfigMap')
})
after(() => rm(folder, { recursive: true, force: true }))

const HOSTILE = `apiVersion: v1
kind: Secret
metadata: {name: ../../outside}
stringData: {password: hush}
`

const pipeline = (name: string, namespace: string): string => `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  source: {bootstrapServers: ['127.0.0.1:1']}
  topics: [{name: trips, table: bronze.trips, format: Json}]
  sink: {delta: {location: 's3://lake/bronze'}}
`

const CASES: readonly [string, readonly string[], number, RegExp][] = [
  ['without a file', [], 2, /name the file of the pipeline with -f\nSee bronze run --help/],
  ['without a pipeline in it', ['-f', 'none.yaml'], 2, /the files hold no BronzePipeline/],
  [
    'with several',
    ['-f', 'two.yaml'],
    2,
    /several pipelines: choose one with --name \(lakehouse\/taxi, staging\/taxi\)/
  ],
  ['with a name that fits several', ['-f', 'two.yaml', '--name', 'taxi'], 2, /several pipelines/],
  [
    'with a name that fits none',
    ['-f', 'one.yaml', '--name', 'bus'],
    2,
    /no pipeline bus; the files hold lakehouse\/taxi/
  ],
  [
    'with more consumers than a machine has room for',
    ['-f', 'one.yaml', '--consumers', '99999'],
    2,
    /--consumers takes at most 256/
  ],
  [
    'with no consumers',
    ['-f', 'one.yaml', '--consumers', '0'],
    2,
    /--consumers takes a whole number from 1 on, not '0'/
  ],
  ['with an output of its own', ['-f', 'one.yaml', '-o', 'xml'], 2, /--output takes text or json, not 'xml'/],
  [
    'with an entry that is not there',
    ['-f', 'one.yaml', '--topic', 'zones'],
    2,
    /--topic: there is no entry zones in spec\.topics; there are trips/
  ],
  ['with an invalid pipeline', ['-f', 'bad.yaml'], 1, /^bad\.yaml:6: spec\.topics\[0\]\.format: must be Raw, Json/],
  ['with a suspended pipeline', ['-f', 'suspended.yaml'], 78, /spec\.suspend is true: set it to false/],
  [
    'with a Secret that leads elsewhere',
    ['-f', 'hostile.yaml'],
    78,
    /InvalidSecret: the Secret "\.\.\/\.\.\/outside" cannot/
  ],
  [
    'with a folder of Secrets that is not there',
    ['-f', 'one.yaml', '--secrets', 'x'],
    78,
    /SecretsUnreadable: --secrets .*x/
  ]
]

for (const [what, args, exitCode, message] of CASES) {
  test(`bronze run ${what} exits ${exitCode}, says why, and leaves nothing behind`, async () => {
    const env = { ...process.env, TMPDIR: join(folder, 'tmp') }
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'run', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env
    })
    assert.equal(status, exitCode, stderr)
    assert.match(stderr.replace(/^bronze: /, ''), message)
    assert.ok(!`${stdout}${stderr}`.includes('hush'))
    assert.deepEqual(await readdir(join(folder, 'tmp')), [])
  })
}
