/** The root of the image: what Node is linked to, names, certificates. No shell, no package manager, no program. */
import type { DebianPackage } from './debian.ts'
import { file, folder, link, type Entry } from './tar.ts'

/** The user of all that runs in the image. */
export const USER_ID = 65532

const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
bronze:x:${USER_ID}:${USER_ID}:bronze:/app:/sbin/nologin
`
const GROUP = `root:x:0:
nobody:x:65534:
bronze:x:${USER_ID}:
`
/** Names of hosts come from the pod's files, then from DNS. */
const NSSWITCH = `passwd: files
group: files
hosts: files dns
services: files
protocols: files
`

/**
 * Of each package only what a Node program can reach. Converters between character sets are ICU's in Node, not glibc's;
 * a library of vectors (libmvec) is for compilers.
 */
const TAKEN: Readonly<Record<string, readonly RegExp[]>> = {
  'base-files': [/^etc\/debian_version$/, /^etc\/host\.conf$/, /^(?:etc|usr\/lib)\/os-release$/],
  'ca-certificates': [],
  libc6: [
    /^usr\/lib(?:64)?\/(?:[^/]+\/)?ld-linux-[^/]+$/,
    /^usr\/lib\/[^/]+\/lib(?:c|m|dl|pthread|rt|resolv|util|anl|nss_dns|nss_files)\.so\.\d$/,
    /^etc\/ld\.so\.conf\.d\//
  ],
  'libgcc-s1': [/^usr\/lib\/[^/]+\/libgcc_s\.so\.1$/],
  'libstdc++6': [/^usr\/lib\/[^/]+\/libstdc\+\+\.so\.6[.\d]*$/],
  netbase: [/^etc\/(?:protocols|services)$/]
}
const COPYRIGHT = /^usr\/share\/doc\/[^/]+(?:\/copyright)?$/

export function baseEntries(packages: readonly DebianPackage[]): Entry[] {
  const taken = packages.flatMap(({ name, files }) => {
    const patterns = [...(TAKEN[name] ?? []), COPYRIGHT]
    return files
      .filter(({ kind }) => kind !== 'folder')
      .map(entry => ({ ...entry, path: merged(entry.path) }))
      .filter(({ path }) => patterns.some(pattern => pattern.test(path)))
  })
  const controls = packages.map(({ name, control }) => file(`var/lib/dpkg/status.d/${name}`, control))
  return [
    ...taken,
    ...controls,
    file('etc/passwd', PASSWD),
    file('etc/group', GROUP),
    file('etc/nsswitch.conf', NSSWITCH),
    file('etc/ssl/certs/ca-certificates.crt', certificates(packages)),
    // As Debian has it since its 12th release.
    ...['bin', 'lib', 'lib64', 'sbin'].map(name => link(name, `usr/${name}`)),
    ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'proc', 'sys', 'dev', 'run'].map(path => folder(path)),
    folder('tmp', 0o1777)
  ]
}

/** Packages of this release still name `/lib`, which is a link to `/usr/lib`. */
const merged = (path: string): string => path.replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/')

function certificates(packages: readonly DebianPackage[]): string {
  const found = packages
    .flatMap(({ files }) => files)
    .filter(({ path }) => /^usr\/share\/ca-certificates\/mozilla\/[^/]+\.crt$/.test(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  if (found.length === 0) throw new Error('the package ca-certificates holds no certificates')
  return found.map(({ bytes }) => `${bytes.toString('latin1').trim()}\n`).join('')
}
