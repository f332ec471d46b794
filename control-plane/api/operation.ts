import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { Scope } from '#domain/arn.ts'
import type { FargateLimits } from '#domain/fargate.ts'
import type { Fleet } from '#state/fleet.ts'
import type { SessionClaims } from '#state/session-credentials.ts'
import type { Store } from '#state/store.ts'
import type { Vault } from '#state/vault.ts'
import type { DataPlanes } from './data-planes.ts'

/** Who signed the request. */
export interface Caller {
  readonly accountId: string
  /** `arn:aws:iam::…:root`, an assumed role, … */
  readonly arn: string
  readonly userId: string
  /** What the token of a session says of it. */
  readonly session?: SessionClaims
}

/** What every operation is handed, and all it may touch. */
export interface Context {
  readonly store: Store
  /** What instances have left, in step with the store within each transaction: for placement and counts. */
  readonly fleet: Fleet
  readonly clock: Clock
  readonly ids: Ids
  readonly caller: Caller
  /** The caller's account and the region of the request's signature: where names are looked up. */
  readonly scope: Scope
  readonly requestId: string
  /** This control plane as the caller reached it over TLS, from another machine; absent of all others. */
  readonly reachedAt?: string
  readonly installation: Installation
  readonly dataPlanes: DataPlanes
  /** What seals the values that rows may not hold openly. */
  readonly vault: Vault
}

/** Facts of this control plane that answers name. */
export interface Installation {
  /** The public address of the one port, `http://127.0.0.1:4566`. */
  readonly url: string
  /** `localhost:4566`: the host part of image references, the same for the user and for every container instance. */
  readonly registryHost: string
  /** The address at which an agent on the given instance reaches this control plane. */
  readonly agentUrl: (containerInstanceArn: string) => string
  /** IAM's policies hold (`--iam=enforce`). */
  readonly enforcesIam?: boolean
  /** How much Fargate has here; absent: there is no Fargate capacity. */
  readonly fargate?: FargateLimits
}

/** The values of condition keys; those that the request does not have are undefined. */
export type ConditionKeys = Readonly<Record<string, string | readonly string[] | undefined>>

/** An action on a resource that a request needs beside its own. */
export interface Permission {
  readonly action: string
  readonly resource: string
  readonly conditions?: ConditionKeys
}

/** One row of a service's operation table. */
export interface Operation<Input, Output> {
  /** The IAM action, when it is not `service:OperationName`. */
  readonly action?: string
  /** The ARNs of what the request touches, for authorization; `['*']` where the action has no resource. */
  readonly resources: (context: Context, input: Input) => readonly string[]
  /** What policies may ask of the request beside its resources, by key: `ecs:cluster`. Asked for when one does. */
  readonly conditions?: (context: Context, input: Input) => ConditionKeys
  /** What the caller must be allowed besides: to pass a role, to tag what is made. */
  readonly further?: (context: Context, input: Input) => readonly Permission[]
  /** Whether the resource's own policy allows the caller, whose policies then need not. */
  readonly granted?: (context: Context, input: Input) => boolean
  /** Checks, then reads and writes rows, and answers; calls no engine, waits for nothing and starts nothing. */
  readonly run: (context: Context, input: Input) => Output
}

/**
 * An operation of a data plane (image layers, later logs): its bytes are not rows, so it may wait. The only exception
 * to operations being synchronous.
 */
interface DataOperation<Input, Output> extends Omit<Operation<Input, Output>, 'run'> {
  readonly serve: (context: Context, input: Input) => Promise<Output>
}

/** An operation of the model that Berth does not have yet. */
export const notImplemented = { notImplemented: true } as const

export type OperationRow<Input, Output> =
  | Operation<Input, Output>
  | DataOperation<Input, Output>
  | typeof notImplemented

/** What a row that says `notImplemented` answers. */
export function notImplementedError(service: string, operation: string): AwsError {
  return new AwsError(
    service === 'ec2' ? 'UnsupportedOperation' : 'UnsupportedFeatureException',
    `Berth does not support ${service}:${operation} yet. See docs/compatibility.md for the operations it has.`,
  )
}

/** The output of an operation without the SDK's own `$metadata`. */
export type Answer<Output> = Omit<Output, '$metadata'>
