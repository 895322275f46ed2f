import { poison, type Poison } from './dead-letter.ts'
import { MAX_FIELDS, type Refusal } from './json-members.ts'
import { MAX_NAME } from './json-names.ts'
import { MAX_VALUES } from './json-tree.ts'

/** Why a value cannot have its members in columns; `at` is a byte of it. */
export function objection(what: Refusal, at: number, length: number): Poison {
  const place = `at byte ${at} of ${length}`
  switch (what) {
    case 'InvalidUtf8':
      return poison('Parse', 'InvalidUtf8', `the value is not UTF-8 ${place}`)
    case 'NotAnObject':
      return poison('Parse', 'NotAnObject', 'the value is JSON, but no object: it has no fields')
    case 'DuplicateKey':
      return poison('Parse', 'DuplicateKey', `the value ${place} has the same column as another of its object`)
    case 'LongKey':
      return poison(
        'Parse',
        'UnsupportedSchema',
        `the key ${place} makes a column's name of more than ${MAX_NAME} characters`
      )
    case 'ManyFields':
      return poison('Parse', 'UnsupportedSchema', `the object has more than ${MAX_FIELDS} fields`)
    case 'ManyValues':
      return poison('Parse', 'UnsupportedSchema', `objects and arrays have more than ${MAX_VALUES} values`)
    case 'InvalidJson':
      return poison('Parse', 'InvalidJson', `the value is not JSON ${place}`)
  }
}
