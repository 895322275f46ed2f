export { parseJson, rawNumber, stringifyJson } from '../json.ts'
