import type { Manifest } from './render.ts'

/** Who asked for what, without bodies; one line for each request. */
export const AUDIT_POLICY = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata' }]
})

export interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** `create apps/deployments`, once each and sorted: what was asked for. An apply that made something is a create too. */
export function auditedUses(events: readonly AuditEvent[]): readonly string[] {
  const uses = events.flatMap(({ verb, objectRef, responseStatus }) => {
    if (objectRef === undefined) return []
    const { apiGroup = '', resource, subresource } = objectRef
    const what = `${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`
    const isCreation = verb === 'patch' && responseStatus?.code === 201
    return [`${verb} ${what}`, ...(isCreation ? [`create ${what}`] : [])]
  })
  return [...new Set(uses)].toSorted()
}

/** The same of all Roles and ClusterRoles of the operator's own: those that aggregate are for people. */
export function grantedUses(rendered: readonly Manifest[]): readonly string[] {
  const roles = rendered.filter(
    ({ kind, metadata: { labels = {} } }) =>
      /^(?:Cluster)?Role$/.test(kind) && !Object.keys(labels).some(label => label.includes('aggregate-to'))
  )
  const rules = roles.flatMap(role => (role as unknown as { rules: readonly Rule[] }).rules)
  const uses = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => `${verb} ${group}/${resource}`)))
  )
  return [...new Set(uses)].toSorted()
}
