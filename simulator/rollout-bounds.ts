/** How many tasks a service may have, and how few healthy ones, by its percentages. */
import {
  appraise,
  essentialsOf,
  settledAfterMsDefault,
} from '@berth/control-plane/domain/rollout-standing.ts'
import { controllerOf, type Service } from '@berth/control-plane/domain/service.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { computedDesiredCount } from '@berth/control-plane/domain/task-set.ts'
import type { Change, View } from '@berth/control-plane/state/store.ts'

/** Tasks that keep the percentages by themselves. */
interface Part {
  readonly desiredCount: number
  readonly has: (task: Task) => boolean
}

/** The scheduler itself never goes below the healthy minimum, nor starts above the maximum. Undefined when that is so. */
export function brokenBounds(
  view: View,
  service: Service,
  { changes, now }: { readonly changes: ReadonlyArray<Change<'task'>>; readonly now: number },
): string | undefined {
  for (const part of partsOf(view, service)) {
    const own = changes.filter(({ before, after }) => {
      const task = after ?? before
      return task !== undefined && part.has(task)
    })
    const broken = own.length > 0 && brokenPart(view, service, part, { changes: own, now })
    if (broken) return broken
  }
  return undefined
}

/** Task sets, and the revisions between which traffic is shifted, are kept each for itself. */
function partsOf(view: View, service: Service): readonly Part[] {
  const { serviceArn, desiredCount } = service
  if (controllerOf(service) === 'EXTERNAL')
    return view.by('taskSet', 'service', serviceArn).map((taskSet) => ({
      desiredCount: computedDesiredCount(taskSet, desiredCount),
      has: ({ deploymentId }) => deploymentId === taskSet.id,
    }))
  const primary = view.by('deployment', 'service', serviceArn).find(({ status }) => status === 'PRIMARY')
  const driving = view.find('serviceDeployment', primary?.serviceDeploymentArn ?? '')
  const { stage = 'CLEAN_UP', scattered } = driving?.lifecycle ?? {}
  if (!driving || stage === 'CLEAN_UP' || driving.status.endsWith('SUCCESSFUL'))
    return [{ desiredCount, has: () => true }]
  // Until the traffic has come back to one revision, each that may have some is left as it is.
  if (scattered)
    return view.by('deployment', 'service', serviceArn).map((one) => ({
      desiredCount,
      has: ({ deploymentId }) => deploymentId === one.deploymentId,
    }))
  const target = driving.deploymentId
  return [
    { desiredCount, has: ({ deploymentId }) => deploymentId === target },
    { desiredCount, has: ({ deploymentId }) => deploymentId !== target },
  ]
}

/** Whether the task counts as healthy; services of the simulator have no grace period. */
export function isHealthyAt(view: View, task: Task, now: number): boolean {
  const definitions = view.find('taskDefinition', task.taskDefinitionArn)?.containerDefinitions ?? []
  const options = { now, settledAfterMs: settledAfterMsDefault, graceMs: 0 }
  return appraise(task, essentialsOf(definitions), options).phase === 'healthy'
}

function brokenPart(
  view: View,
  service: Service,
  { desiredCount, has }: Part,
  { changes, now }: { readonly changes: ReadonlyArray<Change<'task'>>; readonly now: number },
): string | undefined {
  const { serviceArn, deploymentConfiguration } = service
  const { minimumHealthyPercent = 100, maximumPercent = 200 } = deploymentConfiguration
  const wanted = view
    .by('task', 'service', serviceArn)
    .filter((task) => task.desiredStatus === 'RUNNING' && has(task))
  const mostAllowed = (desiredCount * maximumPercent) / 100
  if (changes.some(({ before }) => !before) && wanted.length > mostAllowed)
    return `${serviceArn} has ${wanted.length} tasks where ${mostAllowed} are allowed`
  const stopped = changes.flatMap(({ before, after }) =>
    before?.desiredStatus === 'RUNNING' && after?.stopCode === 'ServiceSchedulerInitiated' ? [before] : [],
  )
  if (stopped.length === 0 || service.status !== 'ACTIVE') return undefined
  const isHealthy = (task: Task): boolean => isHealthyAt(view, task, now)
  const after = wanted.filter(isHealthy).length
  const before = after + stopped.filter(isHealthy).length
  const leastAllowed = (desiredCount * minimumHealthyPercent) / 100
  return after < before && after < leastAllowed
    ? `${serviceArn} was left with ${after} healthy tasks where ${leastAllowed} must be`
    : undefined
}
