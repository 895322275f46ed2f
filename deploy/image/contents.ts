/** What of this repository and of its dependencies is in the image; `deploy/Dockerfile` has the same, which a test holds. */

/** Folders below the repository's root. */
export const FOLDERS = ['cli', 'consumer', 'crds', 'lib', 'operator'] as const
export const FILES = ['LICENSE', 'package.json'] as const

/** Development only: these need packages that the image does not have. */
export const LEFT_OUT = ['cli/demo', 'crds/generate'] as const

/** What the last argument of `find -name` would be. Types, maps and other platforms' twins are never loaded. */
export const MODULE_NAMES_LEFT_OUT = ['*.ts', '*.mts', '*.cts', '*.map', '*.md', '*.bare', '*.html', '*.flow'] as const

/**
 * What the argument of `find -path` would be: Snowflake's client switches its binaries off (consumers do), tests and
 * builds for browsers are no one's, and of a library's several forms Node takes the one that package.json names.
 */
export const MODULE_PATHS_LEFT_OUT = [
  '*/minicore/binaries/*',
  '*/bintrees/test/*',
  '*/moment/min/*',
  '*/moment/dist/*',
  '*/moment/src/*',
  '*/moment-timezone/builds/*'
] as const

/** As `find` reads them: `*` also takes slashes. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map(part => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text)
}

export const isModuleLeftOut = (path: string): boolean =>
  MODULE_NAMES_LEFT_OUT.some(pattern => matches(pattern, path.slice(path.lastIndexOf('/') + 1))) ||
  MODULE_PATHS_LEFT_OUT.some(pattern => matches(pattern, path))

export const isSourceLeftOut = (path: string): boolean =>
  LEFT_OUT.some(each => path === each || path.startsWith(`${each}/`) || path.startsWith(`${each}.`))
