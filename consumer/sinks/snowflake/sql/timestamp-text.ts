/** As a cast to TIMESTAMP_NTZ takes it, in UTC, to the millisecond. */
export const timestampText = (ms: number): string => new Date(ms).toISOString().slice(0, -1)
