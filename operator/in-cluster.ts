import type { ParseResult } from '../crds/validate.ts'

/** Refuses also what is valid elsewhere and cannot work in pods. */
export function judgeInCluster(parsed: ParseResult): ParseResult {
  if (!parsed.ok) return parsed
  const { delta, s3 } = parsed.pipeline.spec.sink
  if (delta?.location.startsWith('file:') === true) return refused('spec.sink.delta.location')
  if (s3?.location.startsWith('file:') === true) return refused('spec.sink.s3.location')
  return parsed
}

const refused = (path: string): ParseResult => ({ ok: false, problems: [{ path, message: FOLDER }] })

const FOLDER =
  'consumers on Kubernetes have no folder that outlives them: give a location that begins with s3://, or run the ' +
  'pipeline on one machine with `bronze run`'
