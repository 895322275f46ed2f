/** What stands where something was taken out. */
export const REDACTED = '[redacted]'

/**
 * Takes out of a text what looks like a credential: private keys, tokens, keys of cloud accounts, passwords in addresses and
 * in assignments, and every one of `secrets`, as it is and as base64. Rather too much than too little.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text
  for (const secret of withForms(secrets)) clean = clean.replaceAll(secret, REDACTED)
  for (const [pattern, replacement] of PATTERNS) clean = clean.replaceAll(pattern, replacement)
  return clean
}

/** Takes the values of fields that are called like credentials out of what is to become JSON or YAML. */
export function redactFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactItem)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, redactField(name, field)]))
}

function redactField(name: string, field: unknown): unknown {
  // The names of Secrets and of their keys are no secret, and what helping is about.
  if (typeof field === 'string' && isCredential(name) && !/(?:Ref|Name|Hash|File|Path)$/.test(name)) return REDACTED
  return redactFields(field)
}

/** `{name: DB_PASSWORD, value: …}`, as containers have them. */
function redactItem(item: unknown): unknown {
  const { name, value } = (item ?? {}) as { name?: unknown; value?: unknown }
  const isOne = typeof name === 'string' && typeof value === 'string' && isCredential(name)
  return redactFields(isOne ? { ...(item as object), value: REDACTED } : item)
}

const WORDS =
  'passw(?:or)?d|passphrase|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key|authorization|sas[-_]?key|jaas'
/** Those after which a colon and a word is hardly a sentence. */
const PLAIN_WORDS = 'passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key'
const isCredential = (name: string) => new RegExp(WORDS, 'i').test(name)

/** Shorter ones would take out half of the words of a log. */
const MIN_SECRET_CHARACTERS = 6

function withForms(secrets: readonly string[]): readonly string[] {
  const long = secrets.flatMap(secret => {
    const trimmed = secret.trim()
    const lines = trimmed.includes('\n') ? trimmed.split('\n').filter(line => !line.startsWith('-----')) : []
    return [trimmed, ...lines, Buffer.from(secret).toString('base64'), JSON.stringify(trimmed).slice(1, -1)]
  })
  const wanted = new Set(long.filter(({ length }) => length >= MIN_SECRET_CHARACTERS))
  return [...wanted].sort((a, b) => b.length - a.length)
}

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, REDACTED],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*$/g, REDACTED],
  // JSON Web Tokens, also of service accounts.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  [/\b(?:ghp|gho|ghs|github_pat|glpat|xox[abp])[-_][\w-]{16,}/g, REDACTED],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/([a-z][\w+.-]*:\/\/[^\s:/@"']*):[^\s@/"']+@/gi, `$1:${REDACTED}@`],
  [
    /([?&](?:x-amz-signature|x-amz-security-token|x-amz-credential|sig|signature|token|password)=)[^&\s"']+/gi,
    `$1${REDACTED}`
  ],
  // password=…, "apiKey": "…", also within a text that is itself JSON. Names of Secrets and of their keys have other fields.
  [new RegExp(`((?:${WORDS})\\\\*["']?\\s*[=:]\\s*\\\\*["'])(?!\\[redacted)[^"'\\\\\\n]+`, 'gi'), `$1${REDACTED}`],
  [new RegExp(`((?:${WORDS})=)(?![\\\\"'[{])[^\\s,;&"'}]+`, 'gi'), `$1${REDACTED}`],
  [new RegExp(`((?:${PLAIN_WORDS}): +)(?![\\\\"'[{])[^\\s,;"'}]+`, 'gi'), `$1${REDACTED}`]
]
