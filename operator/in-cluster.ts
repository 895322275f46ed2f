import type { Problem } from '../crds/problem.ts'
import type { ParseResult } from '../crds/validate.ts'

/** Refuses also what is valid elsewhere and cannot work in pods. */
export function judgeInCluster(parsed: ParseResult): ParseResult {
  if (!parsed.ok) return parsed
  const { delta } = parsed.pipeline.spec.sink
  if (delta?.location.startsWith('file:') !== true) return parsed
  return { ok: false, problems: [FOLDER] }
}

const FOLDER: Problem = {
  path: 'spec.sink.delta.location',
  message:
    'consumers on Kubernetes have no folder that outlives them: give a location that begins with s3://, or run the ' +
    'pipeline on one machine with `bronze run`'
}
