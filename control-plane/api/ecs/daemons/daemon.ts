import type {
  CreateDaemonRequest,
  CreateDaemonResponse,
  DeleteDaemonRequest,
  DeleteDaemonResponse,
  DescribeDaemonRequest,
  DescribeDaemonResponse,
  ListDaemonsRequest,
  ListDaemonsResponse,
  UpdateDaemonRequest,
  UpdateDaemonResponse,
} from '@aws-sdk/client-ecs'
import { present } from '@berth/std/assert.ts'
import type { Context, Operation } from '#api/operation.ts'
import { pageInOrder } from '#api/page.ts'
import type { Cluster } from '#domain/cluster.ts'
import {
  completeDaemonDeploymentConfiguration,
  type Daemon,
  daemonArnOf,
  type DaemonDeployment,
  type DaemonRevision,
  isOver,
  moved,
  newDaemonDeployment,
} from '#domain/daemon.ts'
import type { Transaction } from '#state/store.ts'
import { checkedDeploymentConfiguration, checkedRevision } from './daemon-checks.ts'
import { resolveActiveDaemon, resolveDaemon } from './daemon-resolve.ts'
import { recall, remember, type TokenRequest } from '#api/ecs/idempotency.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { clusterArnOf, findCluster, resolveCluster } from '#api/ecs/resolve.ts'
import { showDaemon } from './show-daemon.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

const listedMax = 100
const dayMs = 24 * 3_600_000

/** Writes down what should run, and the deployment that takes the daemon there. The engine starts the tasks. */
export const createDaemon: Operation<CreateDaemonRequest, CreateDaemonResponse> = {
  resources: (context, { clusterArn: ref, daemonName = '' }) => {
    const cluster = findCluster(context.store, context, ref)
    return cluster ? [daemonArnOf(cluster, daemonName)] : [clusterArnOf(context, ref)]
  },
  run: (context, input) => {
    const { daemonName = '' } = input
    if (!/^[a-zA-Z0-9\-_]{1,255}$/.test(daemonName))
      refuse(`DaemonName must match ^[a-zA-Z0-9\\-_]{1,255}$, but was ${daemonName}`)
    const now = context.clock.now()
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.clusterArn)
      const request = tokenRequest(context, cluster, input)
      const known = request && recall(tx, request, now, ({ resourceArns: [arn = ''] }) => isActive(tx, arn))
      const made = known && tx.find('daemon', known.resourceArns[0] ?? '')
      if (made) return created(made)

      const daemonArn = daemonArnOf(cluster, daemonName)
      const standing = tx.find('daemon', daemonArn)
      const tags = checkedTags(input.tags)
      const deploymentConfiguration = checkedDeploymentConfiguration(input.deploymentConfiguration)
      const revision = checkedRevision(tx, context, { cluster, daemonArn, daemonName, now }, input)
      if (standing?.status === 'ACTIVE') refuse('Creation of daemon was not idempotent.')
      if (standing) refuse('Unable to create a daemon that is still being deleted.')
      const deployment = beginDeployment(tx, context, cluster, {
        daemon: { daemonArn, daemonName },
        deploymentConfiguration,
        revision,
        now,
      })
      const daemon: Daemon = {
        accountId: cluster.accountId,
        region: cluster.region,
        daemonArn,
        daemonName,
        clusterArn: cluster.clusterArn,
        status: 'ACTIVE',
        daemonRevisionArn: revision.daemonRevisionArn,
        capacityProviderArns: revision.capacityProviderArns,
        deploymentArn: deployment.daemonDeploymentArn,
        createdAt: now,
        updatedAt: now,
      }
      tx.put('daemon', daemon)
      putTags(tx, daemonArn, tags)
      if (request) remember(tx, request, { resourceArns: [daemonArn], expiresAt: now + dayMs })
      return created(daemon)
    })
  },
}

/** Always a new revision and a deployment of it, also when nothing is different. */
export const updateDaemon: Operation<UpdateDaemonRequest, UpdateDaemonResponse> = {
  resources: (_, { daemonArn = '' }) => [daemonArn],
  run: (context, input) =>
    context.store.update((tx) => {
      const before = resolveActiveDaemon(tx, context, input.daemonArn ?? '')
      const cluster = present(tx.find('cluster', before.clusterArn), 'the cluster of a daemon')
      const deploymentConfiguration = checkedDeploymentConfiguration(input.deploymentConfiguration)
      const now = context.clock.now()
      const revision = checkedRevision(tx, context, { ...before, cluster, now }, input)
      const deployment = beginDeployment(tx, context, cluster, {
        daemon: before,
        deploymentConfiguration,
        revision,
        now,
      })
      const daemon: Daemon = {
        ...before,
        daemonRevisionArn: revision.daemonRevisionArn,
        capacityProviderArns: revision.capacityProviderArns,
        deploymentArn: deployment.daemonDeploymentArn,
        updatedAt: now,
      }
      tx.put('daemon', daemon)
      return { ...created(daemon), updatedAt: new Date(daemon.updatedAt) }
    }),
}

/** The daemon is gone when the last of its tasks has stopped. */
export const deleteDaemon: Operation<DeleteDaemonRequest, DeleteDaemonResponse> = {
  resources: (_, { daemonArn = '' }) => [daemonArn],
  run: (context, { daemonArn = '' }) =>
    context.store.update((tx) => {
      const before = resolveActiveDaemon(tx, context, daemonArn)
      const cluster = present(tx.find('cluster', before.clusterArn), 'the cluster of a daemon')
      const now = context.clock.now()
      const deployment = beginDeployment(tx, context, cluster, {
        daemon: before,
        deploymentConfiguration: completeDaemonDeploymentConfiguration(),
        now,
      })
      const daemon: Daemon = {
        ...before,
        status: 'DELETE_IN_PROGRESS',
        deploymentArn: deployment.daemonDeploymentArn,
        updatedAt: now,
      }
      tx.put('daemon', daemon)
      return { ...created(daemon), updatedAt: new Date(daemon.updatedAt) }
    }),
}

export const describeDaemon: Operation<DescribeDaemonRequest, DescribeDaemonResponse> = {
  resources: (_, { daemonArn = '' }) => [daemonArn],
  run: (context, { daemonArn = '' }) => ({
    daemon: showDaemon(context.store, resolveDaemon(context.store, context, daemonArn)),
  }),
}

export const listDaemons: Operation<ListDaemonsRequest, ListDaemonsResponse> = {
  resources: () => ['*'],
  run: (context, { clusterArn: ref, capacityProviderArns = [], maxResults, nextToken }) => {
    const { store } = context
    const { clusterArn } = resolveCluster(store, context, ref)
    const wanted = new Set(capacityProviderArns)
    const isWanted = (daemon: Daemon): boolean =>
      wanted.size === 0 || daemon.capacityProviderArns.some((arn) => wanted.has(arn))
    const { rows, nextToken: next } = pageInOrder(
      (after) => Iterator.from(store.after('daemon', 'cluster', clusterArn, after)).filter(isWanted),
      {
        context,
        maxResults,
        nextToken,
        limit: listedMax,
        default: listedMax,
        parameters: {
          operation: 'ListDaemons',
          clusterArn,
          capacityProviderArns: [...wanted].toSorted(),
        },
      },
      ({ daemonArn }) => daemonArn,
    )
    return {
      daemonSummariesList: rows.map(({ daemonArn, status, createdAt, updatedAt }) => ({
        daemonArn,
        status,
        createdAt: new Date(createdAt),
        updatedAt: new Date(updatedAt),
      })),
      ...(next !== undefined && { nextToken: next }),
    }
  },
}

/** Puts the revision and a deployment of it, and asks the one that is under way to stop. Without a revision: a removal. */
function beginDeployment(
  tx: Transaction,
  { ids }: Context,
  cluster: Cluster,
  {
    daemon,
    deploymentConfiguration,
    revision,
    now,
  }: Pick<DaemonDeployment, 'deploymentConfiguration'> & {
    readonly daemon: Pick<Daemon, 'daemonArn' | 'daemonName'>
    readonly revision?: DaemonRevision
    readonly now: number
  },
): DaemonDeployment {
  const standing = tx.find('daemon', daemon.daemonArn)
  const current = tx.find('daemonDeployment', standing?.deploymentArn ?? '')
  if (current && !isOver(current))
    tx.put(
      'daemonDeployment',
      moved(current, 'STOP_REQUESTED', { statusReason: 'A newer daemon deployment was started.', now }),
    )
  const running = tx
    .by('task', 'daemon', daemon.daemonArn)
    .flatMap(({ daemonRevisionArn }) => daemonRevisionArn ?? [])
  const sources = new Set([...(standing ? [standing.daemonRevisionArn] : []), ...running])
  const deployment = newDaemonDeployment({
    daemon,
    cluster,
    deploymentConfiguration,
    sourceRevisionArns: [...sources],
    ...(revision && { targetRevisionArn: revision.daemonRevisionArn }),
    ids,
    now,
  })
  if (revision) tx.put('daemonRevision', revision)
  tx.put('daemonDeployment', deployment)
  return deployment
}

function created({ daemonArn, status, createdAt, deploymentArn }: Daemon): CreateDaemonResponse {
  return { daemonArn, status, createdAt: new Date(createdAt), deploymentArn }
}

function isActive(tx: Transaction, daemonArn: string): boolean {
  return tx.find('daemon', daemonArn)?.status === 'ACTIVE'
}

/** A token is good within its cluster. How the cluster was named makes no other request of it. */
function tokenRequest(
  { scope }: Context,
  { clusterArn }: Cluster,
  { clientToken, ...parameters }: CreateDaemonRequest,
): TokenRequest | undefined {
  if (clientToken === undefined) return undefined
  if (!/^[!-~]{1,36}$/.test(clientToken))
    refuse('clientToken must have 1 to 36 characters in the range of ASCII 33-126.')
  return {
    scope,
    place: `CreateDaemon ${clusterArn}`,
    clientToken,
    parameters: { ...parameters, clusterArn: undefined },
  }
}
