// node test/integration/iceberg/commit-many.main.ts [COMMITS]: prints how large the metadata of a table becomes.
import { commitMany } from './commit-many.ts'

console.log(JSON.stringify(await commitMany(Number(process.argv[2] ?? '10000'))))
process.exit()
