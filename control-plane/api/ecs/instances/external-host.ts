/**
 * How other machines become container instances and cease to be: `berth token create`, `berth join`, `berth leave`. AWS
 * has this in Systems Manager (CreateActivation, RegisterManagedInstance); the machine side there is its own agent.
 */
import { hash } from 'node:crypto'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { AccessKey, JoinToken } from '#domain/identity.ts'
import {
  externalInstanceIdOf,
  externalPrincipal,
  judgeToken,
  knowsSecret,
  secretHash,
  type TokenParts,
} from '#domain/join.ts'
import { requestStop } from '#domain/task.ts'
import type { Transaction, View } from '#state/store.ts'
import { checkedTags } from '#api/ecs/tag.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { deregisterContainerInstance } from './container-instance.ts'

const hourMs = 3_600_000
const expiresInMsMax = 30 * 24 * hourMs
const usesMaxMax = 1000

/** What `berth token create` asks for. */
export interface JoinTokenInput {
  readonly cluster?: string
  readonly expiresInMs?: number
  readonly uses?: number
  readonly tags?: ReadonlyArray<{ readonly key: string; readonly value: string }>
}

/** Makes a token; tokens of the account that have expired are forgotten. Throws AwsError. */
export function createJoinToken(
  context: Context,
  { cluster, expiresInMs = hourMs, uses = 1, tags: asked = [] }: JoinTokenInput,
): Omit<TokenParts, 'pin'> & { readonly expiresAt: number } {
  const refuse = (message: string): never => {
    throw new AwsError('InvalidParameterException', message)
  }
  if (!Number.isInteger(expiresInMs) || expiresInMs < 60_000 || expiresInMs > expiresInMsMax)
    refuse('A token is valid for at least a minute and at most 30 days.')
  if (!Number.isInteger(uses) || uses < 1 || uses > usesMaxMax)
    refuse(`A token can be used 1 to ${usesMaxMax} times.`)
  const tags = checkedTags(asked)
  const { clock, ids, scope } = context
  const [tokenId, secret] = [ids.hex(16), ids.hex(40)]
  const expiresAt = clock.now() + expiresInMs
  context.store.update((tx) => {
    const clusterName = cluster === undefined ? undefined : clusterNameOf(tx, context, cluster)
    for (const old of tx.by('joinToken', 'account', scope.accountId))
      if (old.expiresAt <= clock.now()) tx.delete('joinToken', old.tokenId)
    tx.put('joinToken', {
      tokenId,
      secretHash: secretHash(secret),
      ...scope,
      ...(clusterName !== undefined && { clusterName }),
      tags,
      expiresAt,
      usesMax: uses,
      uses: [],
    })
  })
  return { tokenId, secret, expiresAt }
}

/** Agents make the default cluster themselves; any other has to be there. */
function clusterNameOf(view: View, context: Context, ref: string): string {
  return ref === 'default' ? ref : resolveCluster(view, context, ref).clusterName
}

/** What a machine shows to join. */
export interface JoinInput {
  readonly tokenId: string
  readonly secret: string
  /** A random value the machine keeps: with it, it may ask again when it has not heard the answer. */
  readonly nonce: string
  readonly cluster?: string
}

/** Who the machine is from now on. */
export interface JoinedHost {
  readonly instanceId: string
  readonly accountId: string
  readonly region: string
  readonly cluster: string
  readonly tags: JoinToken['tags']
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

/**
 * Exchanges a token for an identity. Its key is good until the host leaves, because a host may be away for long; it is
 * the host's alone. Throws AwsError, which says of a token no more than its owner may know.
 */
export function joinHost(
  { store, clock, ids }: Pick<Context, 'store' | 'clock' | 'ids'>,
  { tokenId, secret, nonce, cluster: asked }: JoinInput,
): JoinedHost {
  const nonceHash = hash('sha256', nonce)
  return store.update((tx) => {
    const token = tx.find('joinToken', tokenId)
    if (!token || !knowsSecret(token, secret))
      throw refusal('InvalidJoinToken', 'The token is not one of this control plane')
    const judged = judgeToken(token, nonceHash, clock.now())
    if (judged === 'expired') throw refusal('ExpiredJoinToken', 'The token has expired')
    if (judged === 'used') throw refusal('UsedJoinToken', 'The token has been used')
    const { accountId, region, tags, clusterName } = token
    if (clusterName !== undefined && asked !== undefined && asked !== clusterName)
      throw new AwsError(
        'InvalidParameterException',
        `The token is good for the cluster ${clusterName} only.`,
      )
    const cluster = clusterName ?? asked ?? 'default'
    if (cluster !== 'default') resolveCluster(tx, { scope: { accountId, region } }, cluster)
    const instanceId = judged.instanceId ?? `mi-${ids.hex(17)}`
    if (judged.instanceId === undefined)
      tx.put('joinToken', { ...token, uses: [...token.uses, { nonceHash, instanceId }] })
    const { accessKeyId, secretAccessKey, sessionToken = '' } = keyOf(tx, ids, accountId, instanceId)
    return { instanceId, accountId, region, cluster, tags, accessKeyId, secretAccessKey, sessionToken }
  })
}

const refusal = (code: string, what: string): AwsError =>
  new AwsError(code, `${what}: get a new one with "berth token create".`, 403)

function keyOf(tx: Transaction, ids: Context['ids'], accountId: string, instanceId: string): AccessKey {
  const { principalArn, userId } = externalPrincipal(accountId, instanceId)
  const [known] = tx.by('accessKey', 'principal', principalArn)
  if (known) return known
  const made: AccessKey = {
    accessKeyId: `ASIA${ids.hex(16).toUpperCase()}`,
    secretAccessKey: ids.hex(40),
    sessionToken: ids.hex(128),
    accountId,
    principalArn,
    userId,
  }
  tx.put('accessKey', made)
  return made
}

/** What a host that joined is told of itself. */
export interface HostState {
  readonly instanceId: string
  /** Absent until its agent has registered. */
  readonly containerInstanceArn?: string
  readonly agentConnected: boolean
  /** Those that are not STOPPED. */
  readonly taskArns: readonly string[]
}

export function describeHost(context: Context): HostState {
  const instanceId = callingHost(context)
  const rows = registeredAs(context.store, context, instanceId)
  const [row] = rows
  return {
    instanceId,
    ...(row && { containerInstanceArn: row.containerInstanceArn }),
    agentConnected: rows.some(({ agentConnected }) => agentConnected),
    taskArns: tasksOn(context.store, rows),
  }
}

/** How a host goes: only without tasks; with its tasks, which are asked to stop first; or whatever is still running. */
export type LeaveMode = 'idle' | 'stop' | 'abandon'

/**
 * The host's wish to leave. With tasks, `idle` is refused, and `stop` gives it no more tasks and stops those it has: it asks
 * again until there are none, or abandons them. Then its container instance is deregistered and its key is no more.
 */
export function leaveHost(
  context: Context,
  mode: LeaveMode,
): { readonly left: boolean; readonly taskArns: readonly string[] } {
  const rows = registeredAs(context.store, context, callingHost(context))
  const taskArns = tasksOn(context.store, rows)
  if (taskArns.length > 0 && mode === 'idle')
    throw new AwsError(
      'HostHasTasks',
      `${taskArns.length === 1 ? 'A task runs' : `${taskArns.length} tasks run`} on this host.`,
      409,
    )
  if (taskArns.length > 0 && mode === 'stop') {
    stopTasks(context, rows, taskArns)
    return { left: false, taskArns }
  }
  for (const { clusterArn, containerInstanceArn } of rows)
    deregisterContainerInstance.run(context, {
      cluster: clusterArn,
      containerInstance: containerInstanceArn,
      force: true,
    })
  // Last: a host that has not heard the answer can still sign its question.
  context.store.update((tx) => {
    for (const { accessKeyId } of tx.by('accessKey', 'principal', context.caller.arn))
      tx.delete('accessKey', accessKeyId)
  })
  return { left: true, taskArns }
}

function stopTasks(
  { store, clock }: Context,
  rows: readonly ContainerInstance[],
  taskArns: readonly string[],
): void {
  store.update((tx) => {
    for (const row of rows)
      if (row.status === 'ACTIVE')
        tx.put('containerInstance', { ...row, status: 'DRAINING', version: row.version + 1 })
    for (const task of taskArns.flatMap((taskArn) => tx.find('task', taskArn) ?? []))
      if (task.desiredStatus !== 'STOPPED')
        tx.put(
          'task',
          requestStop(task, {
            stopCode: 'UserInitiated',
            stoppedReason: 'The host of the task leaves.',
            now: clock.now(),
          }),
        )
  })
}

/** Throws an AwsError when whoever signed is no host that joined, or one that has left. */
function callingHost({ caller }: Context): string {
  const instanceId = externalInstanceIdOf(caller.arn)
  if (instanceId === undefined) throw new AwsError('NotJoined', 'Whoever asks is no host that joined.', 403)
  return instanceId
}

function registeredAs(view: View, { scope }: Context, instanceId: string): readonly ContainerInstance[] {
  return view
    .by('containerInstance', 'ec2Instance', instanceId)
    .filter(({ status, accountId }) => status !== 'INACTIVE' && accountId === scope.accountId)
}

const tasksOn = (view: View, rows: readonly ContainerInstance[]): readonly string[] =>
  rows.flatMap(({ containerInstanceArn }) =>
    view.by('task', 'containerInstance', containerInstanceArn).map(({ taskArn }) => taskArn),
  )
