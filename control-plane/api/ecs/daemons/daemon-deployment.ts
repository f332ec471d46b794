import type {
  DescribeDaemonDeploymentsRequest,
  DescribeDaemonDeploymentsResponse,
  DescribeDaemonRevisionsRequest,
  DescribeDaemonRevisionsResponse,
  ListDaemonDeploymentsRequest,
  ListDaemonDeploymentsResponse,
} from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import { resolveDaemon } from './daemon-resolve.ts'
import { checkOneOf } from '#api/ecs/tasks/placement-checks.ts'
import { describedOf, historyPage } from '#api/ecs/services/service-deployment.ts'
import { showDaemonDeployment, showDaemonDeploymentBrief, showDaemonRevision } from './show-daemon.ts'

const statuses = [
  'PENDING',
  'SUCCESSFUL',
  'STOPPED',
  'STOP_REQUESTED',
  'IN_PROGRESS',
  'ROLLBACK_IN_PROGRESS',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
]

/** Newest first. */
export const listDaemonDeployments: Operation<ListDaemonDeploymentsRequest, ListDaemonDeploymentsResponse> = {
  resources: (_, { daemonArn = '' }) => [daemonArn],
  run: (context, input) => {
    const { store } = context
    for (const status of input.status ?? []) checkOneOf('status', status, statuses)
    const { daemonArn } = resolveDaemon(store, context, input.daemonArn ?? '')
    const { rows, nextToken } = historyPage(
      context,
      store.by('daemonDeployment', 'daemon', daemonArn),
      { ...input, operation: 'ListDaemonDeployments', of: daemonArn },
      (row) => row.daemonDeploymentArn,
    )
    return {
      daemonDeployments: rows.map(showDaemonDeploymentBrief),
      ...(nextToken !== undefined && { nextToken }),
    }
  },
}

export const describeDaemonDeployments: Operation<
  DescribeDaemonDeploymentsRequest,
  DescribeDaemonDeploymentsResponse
> = {
  resources: (_, { daemonDeploymentArns = [] }) => daemonResources(daemonDeploymentArns),
  run: (context, { daemonDeploymentArns = [] }) => {
    const { store } = context
    const { rows, failures } = describedOf(context, 'daemon-deployment', daemonDeploymentArns, (arn) =>
      store.find('daemonDeployment', arn),
    )
    return { daemonDeployments: rows.map((row) => showDaemonDeployment(store, row)), failures }
  },
}

export const describeDaemonRevisions: Operation<
  DescribeDaemonRevisionsRequest,
  DescribeDaemonRevisionsResponse
> = {
  resources: (_, { daemonRevisionArns = [] }) => daemonResources(daemonRevisionArns),
  run: (context, { daemonRevisionArns = [] }) => {
    const { store } = context
    const { rows, failures } = describedOf(context, 'daemon-revision', daemonRevisionArns, (arn) =>
      store.find('daemonRevision', arn),
    )
    return { daemonRevisions: rows.map((row) => showDaemonRevision(store, row)), failures }
  },
}

/** For authorization: what is asked for, and the daemon each belongs to. */
function daemonResources(arns: readonly string[]): readonly string[] {
  const daemonOf = (arn: string): string =>
    arn.replace(/:daemon-(?:deployment|revision)\//, ':daemon/').replace(/\/[^/]*$/, '')
  return [...new Set(arns.flatMap((arn) => [daemonOf(arn), arn]))]
}
