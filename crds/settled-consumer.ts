/** Settings of the pods that consumers run in. */
export interface SettledConsumer {
  readonly image: string | undefined
  readonly resources: {
    readonly requests?: Readonly<Record<string, string>>
    readonly limits?: Readonly<Record<string, string>>
  }
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly serviceAccountName: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly tolerations: readonly Readonly<Record<string, unknown>>[]
  readonly priorityClassName: string | undefined
  readonly imagePullSecrets: readonly string[]
  readonly terminationGracePeriodSeconds: number
  readonly upgrade: 'Manual' | 'Automatic'
  readonly rollout: 'Recreate' | 'Rolling'
  /** How long changed consumers may take to become ready; undefined: as long as they like. */
  readonly readyTimeoutMs: number | undefined
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}
