import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { startCatalog } from '../../servers/catalog.ts'
import { need } from '../../servers/need.ts'
import { pyicebergProperties } from '../../servers/pyiceberg.ts'
import { python } from '../../servers/readers.ts'
import { sharedS3 } from '../../servers/s3.ts'

const SCRIPT = fileURLToPath(new URL('./catalog.py', import.meta.url))

const stops: (() => Promise<void>)[] = []
after(() => Promise.all(stops.map(stop => stop())))

for (const warehouse of [undefined, 's3://bronze-catalog/tables']) {
  const place = warehouse === undefined ? 'a local folder' : 'S3'
  test(
    `pyiceberg writes to ${place}, and reads again after the catalog has crashed`,
    need('catalog', 'readers', 's3'),
    async () => {
      const s3 = await sharedS3()
      const catalog = await startCatalog(warehouse === undefined ? {} : { warehouse, s3 })
      stops.push(catalog.stop)
      const run = (verb: string) => python(SCRIPT, [verb, JSON.stringify(pyicebergProperties(catalog, s3)), 'shop'])
      assert.equal((await run('write')).trim(), '3')
      await catalog.kill()
      await catalog.restart()
      assert.equal((await run('read')).trim(), '3')
    }
  )
}
