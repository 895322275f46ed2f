import { FatalError } from '../../../lib/errors.ts'

/** The mark of a drop that is under way or was cut off. No reader and no writer knows it, so all of them refuse the table. */
export const DROPPED_FEATURE = 'bronze.dropped'

/** Whether an entry of a log marks its table. */
export const isMark = (entry: Buffer | undefined): boolean => entry?.includes(`"${DROPPED_FEATURE}"`) === true

export const halfDropped = (table: string): FatalError =>
  new FatalError(
    'TableHalfDropped',
    `A drop of Delta table ${table} was cut off (its log ends with the feature ${DROPPED_FEATURE}). ` +
      'Run bronze clean again, or name another table in spec.topics[].table.'
  )
