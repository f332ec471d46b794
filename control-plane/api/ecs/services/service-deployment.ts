import type {
  ContinueServiceDeploymentRequest,
  ContinueServiceDeploymentResponse,
  CreatedAt,
  DescribeServiceDeploymentsRequest,
  DescribeServiceDeploymentsResponse,
  Failure,
  ListServiceDeploymentsRequest,
  ListServiceDeploymentsResponse,
  StopServiceDeploymentRequest,
  StopServiceDeploymentResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { page } from '#api/page.ts'
import type { Scope } from '#domain/arn.ts'
import {
  isFinished,
  isUnderWay,
  requestRollback,
  requestStop,
  rolledBackByUserText,
  type ServiceDeployment,
  serviceDeploymentStatuses,
  stoppedByUserText,
} from '#domain/service-deployment.ts'
import { awaitingHook, decideHook } from '#domain/rollout-lifecycle-duties.ts'
import type { View } from '#state/store.ts'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'
import { isIn, requireKind, resolveCluster } from '#api/ecs/resolve.ts'
import { resolveService, serviceResources } from './service-reference.ts'
import { showServiceDeployment, showServiceDeploymentBrief } from './show-service-deployment.ts'

const describedMax = 20
const listedMax = 100
const listedDefault = 20

/** For authorization: what is asked for, and the service each belongs to. */
export function historyResources(arns: readonly string[]): readonly string[] {
  return [...new Set(arns.flatMap((arn) => [serviceArnOf(arn), arn]))]
}

function serviceArnOf(arn: string): string {
  return arn.replace(/:service-(?:deployment|revision)\//, ':service/').replace(/\/[^/]*$/, '')
}

/** What each kind of history is asked for by. */
const describedMembers = {
  'service-deployment': 'serviceDeploymentArns',
  'service-revision': 'serviceRevisionArns',
  'daemon-deployment': 'daemonDeploymentArns',
  'daemon-revision': 'daemonRevisionArns',
} as const

/**
 * Of the ARNs asked for, the rows that are there, and MISSING for each of the others. Throws InvalidParameterException
 * for none, too many, and the ARNs of other things. No source has the text for none: it is like that of other lists.
 */
export function describedOf<Row extends Scope>(
  { scope }: Context,
  kind: keyof typeof describedMembers,
  arns: readonly string[],
  find: (arn: string) => Row | undefined,
): { readonly rows: readonly Row[]; readonly failures: Failure[] } {
  const member = describedMembers[kind]
  if (arns.length === 0) refuse(`${member} cannot be empty.`)
  if (arns.length > describedMax) refuse(`${member} can have at most ${describedMax} items.`)
  for (const arn of arns) requireKind(arn, [kind])
  const found = [...new Set(arns)].map((arn) => {
    const row = find(arn)
    return { arn, row: row && isIn(scope, row) ? row : undefined }
  })
  return {
    rows: found.flatMap(({ row }) => (row ? [row] : [])),
    failures: found.filter(({ row }) => !row).map(({ arn }) => ({ arn, reason: 'MISSING' })),
  }
}

/** A page of the rows that the filters admit, the newest first. Throws what `page` throws. */
export function historyPage<Row extends { readonly createdAt: number; readonly status: string }>(
  context: Context,
  rows: readonly Row[],
  {
    operation,
    of,
    status = [],
    createdAt,
    maxResults,
    nextToken,
  }: {
    readonly operation: string
    readonly of: string
    readonly status?: readonly string[] | undefined
    readonly createdAt?: CreatedAt | undefined
    readonly maxResults?: number | undefined
    readonly nextToken?: string | undefined
  },
  arnOf: (row: Row) => string,
): ReturnType<typeof page<Row>> {
  const [after, before] = [createdAt?.after?.getTime(), createdAt?.before?.getTime()]
  return page(
    rows.filter(
      (row) =>
        (status.length === 0 || status.includes(row.status)) &&
        (after === undefined || row.createdAt > after) &&
        (before === undefined || row.createdAt < before),
    ),
    {
      context,
      maxResults,
      nextToken,
      limit: listedMax,
      default: listedDefault,
      parameters: { operation, of, status: status.toSorted(), after, before },
      descending: true,
    },
    (row) => `${String(row.createdAt).padStart(16, '0')} ${arnOf(row)}`,
  )
}

/** Newest first. */
export const listServiceDeployments: Operation<
  ListServiceDeploymentsRequest,
  ListServiceDeploymentsResponse
> = {
  resources: (context, input) => serviceResources(context, input.cluster, [input.service ?? '']),
  run: (context, input) => {
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const { serviceArn } = resolveService(store, cluster, input.service ?? '')
    for (const one of input.status ?? []) checkOneOf('status', one, serviceDeploymentStatuses)
    const { rows, nextToken: next } = historyPage(
      context,
      store.by('serviceDeployment', 'service', serviceArn),
      { ...input, operation: 'ListServiceDeployments', of: serviceArn },
      (row) => row.serviceDeploymentArn,
    )
    return {
      serviceDeployments: rows.map(showServiceDeploymentBrief),
      ...(next !== undefined && { nextToken: next }),
    }
  },
}

export const describeServiceDeployments: Operation<
  DescribeServiceDeploymentsRequest,
  DescribeServiceDeploymentsResponse
> = {
  resources: (_, { serviceDeploymentArns = [] }) => historyResources(serviceDeploymentArns),
  run: (context, { serviceDeploymentArns = [] }) => {
    const { store } = context
    const { rows, failures } = describedOf(context, 'service-deployment', serviceDeploymentArns, (arn) =>
      store.find('serviceDeployment', arn),
    )
    return { serviceDeployments: rows.map((row) => showServiceDeployment(store, row)), failures }
  },
}

/**
 * Asks for an end of a service deployment: rolled back, or left as it is with ABORT, which AWS has in its model and does
 * not describe. One that is about to end already goes on as it does.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
 */
export const stopServiceDeployment: Operation<StopServiceDeploymentRequest, StopServiceDeploymentResponse> = {
  resources: (_, { serviceDeploymentArn = '' }) => historyResources([serviceDeploymentArn]),
  run: (context, { serviceDeploymentArn: arn = '', stopType = 'ROLLBACK' }) => {
    checkOneOf('stopType', stopType, ['ABORT', 'ROLLBACK'])
    const now = context.clock.now()
    return context.store.update((tx) => {
      const row = resolveServiceDeployment(tx, context, arn)
      // AWS names the error; its text is not known.
      if (isFinished(row))
        throw new AwsError(
          'ConflictException',
          `The service deployment cannot be stopped because it has finished with the status ${row.status}.`,
          400,
          { resourceIds: [arn] },
        )
      if (isUnderWay(row))
        tx.put(
          'serviceDeployment',
          stopType === 'ABORT'
            ? requestStop(row, { now, reason: stoppedByUserText })
            : requestRollback(row, { now, reason: rolledBackByUserText }),
        )
      return { serviceDeploymentArn: arn }
    })
  },
}

/** Ends the pause of a service deployment: it goes on, or is rolled back. */
export const continueServiceDeployment: Operation<
  ContinueServiceDeploymentRequest,
  ContinueServiceDeploymentResponse
> = {
  resources: (_, { serviceDeploymentArn = '' }) => historyResources([serviceDeploymentArn]),
  run: (context, { serviceDeploymentArn: arn = '', hookId = '', action = 'CONTINUE' }) => {
    checkOneOf('action', action, ['CONTINUE', 'ROLLBACK'])
    if (hookId === '') refuse('hookId cannot be empty.')
    const now = context.clock.now()
    return context.store.update((tx) => {
      const row = resolveServiceDeployment(tx, context, arn)
      const waits = row.status === 'IN_PROGRESS' && row.lifecycle && awaitingHook(row.lifecycle, hookId)
      // Of the errors AWS names for the operation this is the one for it; its text is not known.
      if (!waits || !row.lifecycle || now >= waits.expiresAt)
        return refuse(`The lifecycle hook ${hookId} of the service deployment is not awaiting an action.`)
      const lifecycle = decideHook(row.lifecycle, hookId, action)
      const decided = { ...row, lifecycle, updatedAt: now }
      tx.put(
        'serviceDeployment',
        action === 'CONTINUE' ? decided : requestRollback(decided, { now, reason: rolledBackByUserText }),
      )
      return { serviceDeploymentArn: arn }
    })
  },
}

/** Throws ServiceDeploymentNotFoundException, and InvalidParameterException for the ARN of another thing. */
function resolveServiceDeployment(view: View, { scope }: Context, arn: string): ServiceDeployment {
  requireKind(arn, ['service-deployment'])
  const row = view.find('serviceDeployment', arn)
  if (!row || !isIn(scope, row))
    throw new AwsError('ServiceDeploymentNotFoundException', 'Service deployment not found.')
  return row
}
