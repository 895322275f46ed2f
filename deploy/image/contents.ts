/** What of this repository and of its dependencies is in the image, whichever way it is built. */

/** Folders below the repository's root. */
export const FOLDERS = ['cli', 'consumer', 'crds', 'lib', 'operator'] as const
export const FILES = ['LICENSE', 'package.json'] as const

/** Development only: these need packages that the image does not have. */
const LEFT_OUT = [/^cli\/demo\//, /^crds\/generate/]

/** Below `node_modules`: what no program loads. Only types, maps and papers are left out by their names alone. */
const MODULES_LEFT_OUT = [
  /\.(?:[cm]?ts|map|md|html|flow|tsbuildinfo)$/,
  /\/(?:tests?|docs)\//,
  // Forms for other platforms and for bundlers; Node takes the one that package.json has for it.
  /\.bare$/,
  /\/(?:dist-es|dist\/(?:browser|react-native|workerd)|yaml\/browser)\//,
  /\/moment\/(?:min|dist|src)\//,
  /\/moment-timezone\/builds\//,
  /\/@azure\/msal-browser\//,
  // Binaries of Snowflake's client; consumers switch them off.
  /\/minicore\/binaries\//
]

/** `path` begins with `node_modules/`, and has forward slashes. */
export const isModuleLeftOut = (path: string): boolean => MODULES_LEFT_OUT.some(pattern => pattern.test(path))

/** `path` begins with one of the folders. */
export const isSourceLeftOut = (path: string): boolean => LEFT_OUT.some(pattern => pattern.test(path))
