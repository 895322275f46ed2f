import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { installed } from '../servers/cache.ts'
import type { Cluster } from './cluster.ts'
import { Feed } from './feed.ts'
import { REPOSITORY, type TAGS, TOPICS, startLakehouse, type Lakehouse } from './lakehouse.ts'
import { kubectlIn, pods, type Kubectl, type Pod } from './pods.ts'
import { until } from './steps.ts'

const CHART = fileURLToPath(new URL('../../helm/bronze-operator', import.meta.url))
const PLUGIN = fileURLToPath(new URL('../../cli/kubectl-bronze.js', import.meta.url))
/** Where consumers have the Secrets of their pipeline. */
const SECRETS_FOLDER = '/etc/bronze/secrets'
export const OPERATORS = 'app.kubernetes.io/component=operator'
export const CONSUMERS = 'bronze.dev/pipeline=shop'

interface Pipeline {
  readonly spec: object
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
    readonly summary?: Readonly<Record<string, string>>
    readonly lag?: { readonly records?: number }
    readonly revision?: { readonly healthy?: boolean }
    readonly image?: string
  }
}

/** The pipeline `shop` of the example in a cluster, with what its steps look at. */
export class Shop {
  readonly lake: Lakehouse
  readonly feed: Feed
  /** In the operator's namespace. */
  readonly inBronze: Kubectl
  /** In the pipeline's namespace. */
  readonly inLakehouse: Kubectl

  private constructor(lake: Lakehouse, feed: Feed) {
    this.lake = lake
    this.feed = feed
    this.inBronze = kubectlIn(lake.cluster, 'bronze')
    this.inLakehouse = kubectlIn(lake.cluster, 'lakehouse')
  }

  static async open(): Promise<Shop> {
    const lake = await startLakehouse()
    return new Shop(lake, await Feed.connect(lake.kafka.bootstrap, TOPICS))
  }

  async close(): Promise<void> {
    await this.feed.stop().catch(() => {})
    this.feed.close()
    await this.lake.stop()
  }

  get cluster(): Cluster {
    return this.lake.cluster
  }

  async helm(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cluster.kube.helm([...args, '-n', 'bronze'])
    assert.equal(code, 0, `helm ${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }

  /** Installs the chart, or upgrades to it, with one of the image's tags; waits until the operators are ready. */
  async chart(command: 'install' | 'upgrade', tag: (typeof TAGS)[number]): Promise<void> {
    const image = [`image.repository=${REPOSITORY}`, `image.tag=${tag}`, 'image.pullPolicy=Never']
    const settings = [...image, 'replicas=2', 'podDisruptionBudget.enabled=true'].flatMap(each => ['--set', each])
    await this.helm(command, 'bronze', CHART, ...settings, '--wait', '--timeout', '300s')
  }

  /** `kubectl bronze`, found by kubectl as its users' is; throws when it fails. */
  async bronze(...args: string[]): Promise<string> {
    const folder = join(this.cluster.state, 'plugins')
    await mkdir(folder, { recursive: true })
    await symlink(PLUGIN, join(folder, 'kubectl-bronze')).catch(() => {})
    const { kubeconfig } = this.cluster.kube
    const env = { ...process.env, PATH: [folder, process.env['PATH']].join(delimiter), KUBECONFIG: kubeconfig }
    const running = promisify(execFile)(installed('kube', 'kubectl'), ['bronze', ...args, '-n', 'lakehouse'], { env })
    return (await running).stdout
  }

  async pipeline(): Promise<Pipeline> {
    return JSON.parse(await this.inLakehouse('get', 'bp', 'shop', '-o', 'json')) as Pipeline
  }

  async patch(spec: object): Promise<void> {
    await this.inLakehouse('patch', 'bp', 'shop', '--type=merge', '-p', JSON.stringify({ spec }))
  }

  /** Waits for a condition, given as `Ready=True` or `Ready=False/Suspended`. */
  async until(wanted: string): Promise<void> {
    const [type = '', state = ''] = wanted.split('=')
    const read = async () => {
      const found = (await this.pipeline()).status?.conditions?.find(condition => condition.type === type)
      return `${found?.status}/${found?.reason}`
    }
    await until(wanted, read, found => found === state || found.startsWith(`${state}/`))
  }

  /** Waits until all is in order, and no record waits for longer than usual. */
  async untilWell(): Promise<void> {
    await this.until('Ready=True')
    await this.until('CaughtUp=True')
  }

  consumers(): Promise<Pod[]> {
    return pods(this.inLakehouse, CONSUMERS)
  }

  async leader(): Promise<string> {
    return await this.inBronze('get', 'leases', '-o', 'jsonpath={.items[0].spec.holderIdentity}')
  }

  /** An operator works: it makes anew what somebody has removed. */
  async untilRepaired(): Promise<void> {
    const uid = () => this.inLakehouse('get', 'pdb', 'shop-consumer', '-o', 'jsonpath={.metadata.uid}')
    const before = await uid()
    await this.inLakehouse('delete', 'pdb', 'shop-consumer')
    await until('the budget is there again', uid, now => now !== '' && now !== before)
  }

  /** Waits until the mounted Secrets of a consumer have this text. */
  async untilFile({ metadata }: Pod, path: string, text: string): Promise<void> {
    const script = `process.stdout.write(fs.readFileSync('${SECRETS_FOLDER}/${path}'))`
    const read = () => this.inLakehouse('exec', metadata.name, '--', 'node', '-e', script)
    await until(`${path} in ${metadata.name}`, read, found => found === text)
  }

  /** The generation of the consumer group, by what its members have logged last: each rebalance is one more. */
  async generation(): Promise<number> {
    const logs = await Promise.all(
      (await this.consumers()).map(({ metadata }) => this.inLakehouse('logs', metadata.name))
    )
    const seen = logs.flatMap(log => [...log.matchAll(/"generation":(\d+)/g)].map(([, number]) => Number(number)))
    assert.ok(seen.length > 0, 'no consumer has logged a generation')
    return Math.max(...seen)
  }

  /** Waits until tables have more rows than were produced so far. */
  async untilNewRows(): Promise<void> {
    const produced = this.feed.total
    const rows = async () => Object.values(await this.lake.rows()).reduce((sum, { rows }) => sum + rows, 0)
    await until(`more than ${produced} rows`, rows, count => count > produced)
  }

  /** With the feed at rest, nothing waits, and each table has every record of its topic just once. */
  async untilExact(): Promise<void> {
    await until(
      'LAG is 0',
      async () => (await this.pipeline()).status?.summary?.['lag'],
      lag => lag === '0'
    )
    const tables = await this.lake.rows()
    for (const topic of TOPICS) {
      const count = this.feed.count(topic)
      assert.deepEqual(tables[`bronze_${topic}`], { rows: count, distinct: count }, topic)
    }
  }

  /** What there is, for who looks into a failure. */
  async explain(): Promise<string> {
    const texts: string[] = []
    const ask = async (kubectl: Kubectl, ...args: string[]) => {
      texts.push(`--- ${args.join(' ')}`, await kubectl(...args).catch(String))
    }
    for (const kubectl of [this.inBronze, this.inLakehouse]) {
      await ask(kubectl, 'get', 'pods', '-o', 'wide')
      await ask(kubectl, 'get', 'events', '--sort-by=.lastTimestamp')
    }
    await ask(this.inLakehouse, 'get', 'bp', 'shop', '-o', 'yaml')
    await ask(this.inBronze, 'logs', '-l', OPERATORS, '--tail=40', '--prefix')
    await ask(this.inLakehouse, 'logs', '-l', CONSUMERS, '--tail=30', '--prefix')
    return texts.join('\n')
  }
}
