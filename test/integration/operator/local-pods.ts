import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KubeAddresses } from '../../servers/kube.ts'
import { freePorts } from '../../servers/process.ts'
import { type KubeApi, kubeApi } from '../crds/kube-api.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly containers: readonly [
      {
        readonly command: readonly string[]
        readonly args: readonly string[]
        readonly env: readonly { readonly name: string; readonly value?: string }[]
        readonly volumeMounts: readonly {
          readonly name: string
          readonly mountPath: string
          readonly subPath?: string
        }[]
      }
    ]
    readonly volumes: readonly {
      readonly name: string
      readonly configMap?: { readonly name: string }
      readonly secret?: { readonly secretName: string }
    }[]
  }
}

/**
 * Runs a namespace's pods as processes of this machine, as a kubelet would: command, arguments, environment and mounted files
 * are those of the pod, and its readiness and end are written into its status.
 */
export class LocalPods {
  readonly #api: KubeApi
  /** `/api/v1/namespaces/…` */
  readonly #home: string
  /** What all of them have logged. */
  output = ''
  readonly #running = new Map<string, { readonly process: ChildProcess; readonly folder: string }>()

  constructor(kube: KubeAddresses, namespace: string) {
    this.#api = kubeApi(kube)
    this.#home = `/api/v1/namespaces/${namespace}`
  }

  /** Starts every pod that is not running yet, and ends those that are no longer there. */
  async follow(): Promise<void> {
    const { items } = (await this.#call('GET', 'pods')) as { items: readonly Pod[] }
    const names = new Set(items.map(({ metadata }) => metadata.name))
    await Promise.all([...this.#running.keys()].filter(name => !names.has(name)).map(name => this.#end(name)))
    await Promise.all(items.filter(({ metadata }) => !this.#running.has(metadata.name)).map(pod => this.#start(pod)))
  }

  get count(): number {
    return this.#running.size
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map(name => this.#end(name)))
    this.#api.close()
  }

  async #start(pod: Pod): Promise<void> {
    const { name } = pod.metadata
    const [container] = pod.spec.containers
    const folder = await mkdtemp(join(tmpdir(), 'bronze-pod-'))
    await this.#mount(pod, folder)
    const [port = 0] = await freePorts(1)
    const values: Record<string, string> = { POD_NAME: name }
    for (const { name, value } of container.env) if (value !== undefined) values[name] = value
    const args = container.args.map(arg => this.#argument(arg, values, folder))
    args[args.indexOf('--port') + 1] = String(port)
    const [program, ...first] = container.command
    // Compiled once for all of them.
    const compiled = process.env['NODE_COMPILE_CACHE']
    const child = spawn(program === 'node' ? process.execPath : String(program), [...first, ...args], {
      cwd: root,
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled, ...values },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => (this.output += text.toString()))
    this.#running.set(name, { process: child, folder })
    await this.#ready(name, port, child)
  }

  async #ready(name: string, port: number, child: ChildProcess): Promise<void> {
    for (let turn = 0; turn < 1200; turn++) {
      if (child.exitCode !== null) throw new Error(`pod ${name} ended with ${child.exitCode}:\n${this.output}`)
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      if (answer?.status === 200) return this.setStatus(name, readyStatus())
      await wait(100)
    }
    throw new Error(`pod ${name} did not become ready:\n${this.output}`)
  }

  /** Writes a pod's status, as a kubelet does. */
  async setStatus(name: string, status: object): Promise<void> {
    await this.#call('PATCH', `pods/${name}/status`, { status })
  }

  /** Paths of the pod lie under its folder; `$(NAME)` is the variable's value. */
  #argument(arg: string, values: Readonly<Record<string, string>>, folder: string): string {
    const expanded = arg.replace(/\$\((\w+)\)/g, (text, name: string) => values[name] ?? text)
    return expanded.startsWith('/') ? join(folder, expanded) : expanded
  }

  async #mount({ spec }: Pod, folder: string): Promise<void> {
    for (const { name, mountPath, subPath } of spec.containers[0].volumeMounts) {
      const volume = spec.volumes.find(volume => volume.name === name)
      if (volume?.configMap === undefined && volume?.secret === undefined) continue
      const { configMap, secret } = volume
      const path = configMap === undefined ? `secrets/${secret?.secretName}` : `configmaps/${configMap.name}`
      const { data = {} } = (await this.#call('GET', path)) as { data?: Readonly<Record<string, string>> }
      const encoding = configMap === undefined ? 'base64' : 'utf8'
      const target = join(folder, mountPath)
      await mkdir(subPath === undefined ? target : join(target, '..'), { recursive: true })
      for (const [key, value] of Object.entries(data)) {
        if (subPath === undefined || key === subPath) {
          await writeFile(subPath === undefined ? join(target, key) : target, Buffer.from(value, encoding))
        }
      }
    }
  }

  async #call(method: 'GET' | 'PATCH', path: string, change?: object): Promise<unknown> {
    const answer = await this.#api.call(method, `${this.#home}/${path}`, change, 'application/merge-patch+json')
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async #end(name: string): Promise<void> {
    const pod = this.#running.get(name)
    this.#running.delete(name)
    if (pod === undefined) return
    if (pod.process.exitCode === null && pod.process.kill('SIGTERM')) await once(pod.process, 'exit')
    await rm(pod.folder, { recursive: true, force: true })
  }
}

const readyStatus = () => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }],
  containerStatuses: [
    {
      name: 'consumer',
      ready: true,
      restartCount: 0,
      image: 'bronze:test',
      imageID: '',
      state: { running: { startedAt: new Date().toISOString() } }
    }
  ]
})

/** The status of a pod whose consumer ended with these last words. */
export const endedStatus = (exitCode: number, message: string): object => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: new Date().toISOString() }],
  containerStatuses: [
    {
      name: 'consumer',
      ready: false,
      restartCount: 3,
      image: 'bronze:test',
      imageID: '',
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
      lastState: { terminated: { exitCode, reason: 'Error', message } }
    }
  ]
})

export const readText = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
