// node deploy/image/prune.ts: in deploy/Dockerfile, takes out of node_modules what the image does without.
import { readdirSync, rmSync } from 'node:fs'
import { join, sep } from 'node:path'
import { isModuleLeftOut } from './contents.ts'

for (const entry of readdirSync('node_modules', { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (!entry.isDirectory() && isModuleLeftOut(path.replaceAll(sep, '/'))) rmSync(path)
}
