import { errorText, FatalError, RetryableError } from '../../lib/errors.ts'
import type { KubeError } from '../../operator/kube/kube.ts'

/** What an API server's refusal means to whoever sits at the terminal: what to do about it, or whom to ask. */
export function explained(error: KubeError, context: string): FatalError | RetryableError {
  const because = { cause: error }
  switch (error.status) {
    case 0:
      if (error.cause instanceof FatalError) return error.cause
      return new RetryableError(
        'ClusterUnreachable',
        `the cluster of context ${context} does not answer: ${lastCause(error)}. Is it the right one (--context)?`,
        because
      )
    case 400:
    case 422:
      return new FatalError('Refused', error.message, because)
    case 401:
      return new FatalError(
        'Unauthorized',
        `the cluster of context ${context} does not know you: log in again`,
        because
      )
    case 403:
      return new FatalError('Forbidden', `${error.message}${remedyOf(error.message)}`, because)
    case 404:
      return new FatalError('NotFound', error.message, because)
    default:
      return new RetryableError('ClusterTrouble', `${error.message}: try again`, because)
  }
}

/** For a cluster that does not know our kind of resource. */
export function notInstalled(context: string): FatalError {
  return new FatalError(
    'NotInstalled',
    `the cluster of context ${context} has no BronzePipelines: install the operator with its chart ` +
      '(helm install bronze-operator helm/bronze-operator), or choose another --context'
  )
}

const REFUSAL = /cannot (\w+) resource "([^"]+)"/
const READING = new Set(['get', 'list', 'watch'])
/** What the role `view` leaves out: it shows no Secret, and reaches into no pod. */
const FOR_EDITORS = new Set(['secrets', 'pods/proxy'])
const OF_CLUSTER = new Set(['customresourcedefinitions', 'namespaces', 'nodes'])

function remedyOf(message: string): string {
  const [, verb = '', resource = ''] = REFUSAL.exec(message) ?? []
  if (verb === '' || OF_CLUSTER.has(resource)) return ''
  const role = READING.has(verb) && !FOR_EDITORS.has(resource) ? 'view' : 'edit'
  return `. The ClusterRole ${role} has "${verb} ${resource}" (the operator's chart adds BronzePipelines to it): ask for a RoleBinding to it in this namespace`
}

/** `connect ECONNREFUSED 127.0.0.1:6443` rather than the chain of who was told. */
function lastCause(error: Error): string {
  let last: unknown = error
  while (last instanceof Error && last.cause !== undefined) last = last.cause
  if (last instanceof AggregateError) last = last.errors[0]
  const text = errorText(last)
  return text === '' ? error.message : text
}
