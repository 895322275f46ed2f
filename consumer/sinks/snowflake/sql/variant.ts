/**
 * What a line has for bytes (text where they are that, else `{"base64": …}`) as dead letters keep it: text that is JSON as JSON. A
 * JSON null is NULL.
 */
export const jsonTextOrBytes = (variant: string): string =>
  `IFF(TYPEOF(${variant}) = 'VARCHAR', COALESCE(TRY_PARSE_JSON(${variant}::VARCHAR), ${variant}), STRIP_NULL_VALUE(${variant}))`

/** A text as JSON if it is that, else as a string. */
export const jsonOrText = (text: string): string => `COALESCE(TRY_PARSE_JSON(${text}), TO_VARIANT(${text}))`

/** Bytes of which only base64 is there: nothing here could tell whether they are text without an error where they are none. */
export const bytesObject = (base64: string): string =>
  `IFF(${base64} IS NULL, NULL, OBJECT_CONSTRUCT('base64', ${base64}))`

/** An OBJECT; members that are NULL are not in it. Keys are ours. */
export const object = (members: readonly (readonly [key: string, expression: string])[]): string =>
  `OBJECT_CONSTRUCT(\n    ${members.map(([key, expression]) => `'${key}', ${expression}`).join(',\n    ')}\n  )`
