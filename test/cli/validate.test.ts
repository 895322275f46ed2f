import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../cli/bronze.js', import.meta.url))

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bronze-validate-'))
  await mkdir(join(folder, 'many'))
  await mkdir(join(folder, 'empty'))
  await writeFile(join(folder, 'good.yaml'), `${pipeline('taxi')}---\n${SECRET}---\n${pipeline('flights')}`)
  await writeFile(join(folder, 'bad.yaml'), `${pipeline('taxi')}---\n${pipeline('weather').replace('5s', '5 parsecs')}`)
  await writeFile(join(folder, 'broken.yaml'), 'a: [1')
  await writeFile(join(folder, 'secret.yaml'), SECRET)
  await writeFile(join(folder, 'many/a.yaml'), pipeline('a'))
  await writeFile(join(folder, 'many/b.yml'), pipeline('b'))
  const iceberg = "iceberg: {catalog: {uri: 'http://catalog:8181', warehouse: lake}}"
  await writeFile(join(folder, 'iceberg.yaml'), pipeline('taxi').replace(/delta: \{.*?\}/, iceberg))
  const others = [
    'snowflake: {account: acme-analytics, database: COMMERCE, credentialsSecretRef: {name: key}, mode: Merge}',
    "s3: {location: 's3://landing/raw', format: Ndjson}"
  ]
  const named = others.map((sink, index) => pipeline(`other-${index}`).replace(/delta: \{.*?\}/, sink))
  await writeFile(join(folder, 'others.yaml'), named.join('---\n'))
  const quality = ', quality: {rules: [{name: ok, expression: "1 +"}]}}'
  await writeFile(
    join(folder, 'quality.yaml'),
    pipeline('taxi').replaceAll(/ format: Json\}/g, ` format: Json${quality}`)
  )
  await writeFile(join(folder, 'many/notes.txt'), 'kind: BronzePipeline')
})
after(() => rm(folder, { recursive: true, force: true }))

const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: kafka-user}
stringData: {password: hush}
`

const pipeline = (name: string): string => `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: ${name}, namespace: lakehouse}
spec:
  source: {bootstrapServers: ['kafka:9092']}
  topics:
  - {name: trips, table: bronze.trips, format: Json}
  - {name: late-trips, table: bronze.trips, format: Json}
  batch: {triggerInterval: 5s}
  sink: {delta: {location: 's3://lake/bronze'}}
`

function bronze(args: string[], input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8'
  })
  return { code: status, out: stdout, err: stderr }
}

test('valid pipelines give a line each and exit 0', () => {
  const { code, out, err } = bronze(['validate', '-f', 'good.yaml'])
  assert.equal(err, '')
  assert.equal(code, 0)
  assert.deepEqual(out.split('\n'), [
    'good.yaml: valid: lakehouse/taxi, 2 topics into 1 table, delta at s3://lake/bronze, group bronze.lakehouse.taxi',
    'good.yaml: valid: lakehouse/flights, 2 topics into 1 table, delta at s3://lake/bronze, group bronze.lakehouse.flights',
    ''
  ])
})

test('an Iceberg sink is its catalog and warehouse', () => {
  const { out } = bronze(['validate', '-f', 'iceberg.yaml'])
  assert.match(out, /, iceberg at http:\/\/catalog:8181 \(warehouse lake\), group /)
})

test('a Snowflake sink is its account, database and mode, raw objects their place and format', () => {
  const { out } = bronze(['validate', '-f', 'others.yaml'])
  const [snowflake = '', s3 = ''] = out.split('\n')
  assert.match(snowflake, /, snowflake at acme-analytics\/COMMERCE \(mode Merge\), group /)
  assert.match(s3, /, s3 at s3:\/\/landing\/raw \(Ndjson\), group /)
})

test('a quality rule that cannot be compiled is a problem on its line, with the place within the expression', () => {
  const { code, err } = bronze(['validate', '-f', 'quality.yaml'])
  assert.equal(code, 1)
  assert.match(err, /^quality\.yaml:7: spec\.topics\[0\]\.quality\.rules\[0\]\.expression: line 1, column \d+: /m)
})

test('a problem is shown with file, line, field and remedy, the good ones beside it, and the exit code is 1', () => {
  const { code, out, err } = bronze(['validate', '-f', 'bad.yaml'])
  assert.equal(code, 1)
  assert.match(out, /^bad\.yaml: valid: lakehouse\/taxi, [^\n]+\n$/)
  assert.match(err, /^bad\.yaml:20: spec\.batch\.triggerInterval: "5 parsecs" has not the form [^\n]+\n$/)
})

test('text that is not YAML is a problem with its line', () => {
  const { code, err } = bronze(['validate', '-f', 'broken.yaml'])
  assert.equal(code, 1)
  assert.match(err, /^broken\.yaml:1: is not YAML/)
})

test('standard input is read for -, and folders are read file by file', () => {
  const piped = bronze(['validate', '-f', '-'], pipeline('piped'))
  assert.match(piped.out, /^-: valid: lakehouse\/piped/)
  const { code, out } = bronze(['validate', '-f', 'many', 'good.yaml'])
  assert.equal(code, 0)
  assert.deepEqual(
    out.split('\n').map(line => line.split(',')[0]),
    [
      `${join('many', 'a.yaml')}: valid: lakehouse/a`,
      `${join('many', 'b.yml')}: valid: lakehouse/b`,
      'good.yaml: valid: lakehouse/taxi',
      'good.yaml: valid: lakehouse/flights',
      ''
    ]
  )
})

test('two pipelines of one name are a problem: the second would replace the first', () => {
  const { code, err } = bronze(['validate', '-f', 'good.yaml', '-f', 'bad.yaml'])
  assert.equal(code, 1)
  assert.match(err, /^bad\.yaml:1: metadata\.name: lakehouse\/taxi is in good\.yaml already: rename one$/m)
})

test('files without a pipeline are not called valid', () => {
  const { code, err } = bronze(['validate', '-f', 'secret.yaml'])
  assert.deepEqual([code, err], [1, 'secret.yaml: no BronzePipeline found\n'])
})

test('wrong usage exits 2 and says what is wrong and where the help is', () => {
  const cases: [string[], RegExp][] = [
    [
      ['validate'],
      /^bronze: name the files to check with -f, or pipelines of the cluster\nSee bronze validate --help\.\n$/
    ],
    [['validate', '-f', 'nowhere.yaml'], /^bronze: there is no file or folder nowhere\.yaml\n/],
    [['validate', '-f', 'empty'], /^bronze: the folder empty holds no \.yaml, \.yml or \.json file\n/],
    [['validate', '--strict'], /^bronze: Unknown option '--strict'\nSee bronze validate --help\.\n$/],
    [['validte'], /^bronze: there is no command 'validte'; did you mean validate\?\n/],
    [[], /^bronze turns Kafka topics into/]
  ]
  for (const [args, message] of cases) {
    const { code, err } = bronze(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(err, message)
  }
})

test('help and version are printed on standard output', () => {
  for (const args of [['--help'], ['-h'], ['help']]) assert.match(bronze(args).out, /Commands:\n {2}validate/)
  for (const args of [
    ['validate', '--help'],
    ['validate', '-f', 'x', '-h'],
    ['help', 'validate']
  ]) {
    const { code, out } = bronze(args)
    assert.equal(code, 0)
    assert.match(out, /Usage: bronze validate -f FILE/)
  }
  for (const args of [['--version'], ['version']]) assert.match(bronze(args).out, /^\d+\.\d+\.\d+\n$/)
})
