/**
 * Bytes in base64 as a VARIANT: text as text, other bytes as `{"base64": …}`. NULL stays NULL. TRY_BASE64_DECODE_STRING gives NULL
 * for bytes that are no UTF-8 (sql-reference/functions/try_base64_decode_string).
 */
export const textOrBytes = (base64: string): string =>
  `IFF(${base64} IS NULL, NULL, COALESCE(TO_VARIANT(TRY_BASE64_DECODE_STRING(${base64})), ${bytes(base64)}))`

/** As above, but text that is JSON as JSON. */
export const jsonTextOrBytes = (base64: string): string => {
  const text = `TRY_BASE64_DECODE_STRING(${base64})`
  return `IFF(${base64} IS NULL, NULL, COALESCE(TRY_PARSE_JSON(${text}), TO_VARIANT(${text}), ${bytes(base64)}))`
}

/** A text as JSON if it is that, else as a string. */
export const jsonOrText = (text: string): string => `COALESCE(TRY_PARSE_JSON(${text}), TO_VARIANT(${text}))`

/** An OBJECT; members that are NULL are not in it. Keys are ours. */
export const object = (members: readonly (readonly [key: string, expression: string])[]): string =>
  `OBJECT_CONSTRUCT(\n    ${members.map(([key, expression]) => `'${key}', ${expression}`).join(',\n    ')}\n  )`

const bytes = (base64: string): string => `OBJECT_CONSTRUCT('base64', ${base64})::VARIANT`
