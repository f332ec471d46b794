/** What a service says in its events, in AWS's words. */
import { arnName } from './arn.ts'
import type { PlacementFailure } from './placement/place.ts'
import type { Service } from './service.ts'
import { countsText, type ZoneCounts } from './zone-balance.ts'

/** Who says it: a service, or a task set of it. */
type Named = Pick<Service, 'serviceName'> & { readonly taskSetId?: string }
const of = ({ serviceName, taskSetId }: Named): string =>
  taskSetId === undefined ? `(service ${serviceName})` : `(service ${serviceName}, taskSet ${taskSetId})`
const list = (taskArns: readonly string[]): string =>
  taskArns.map((arn) => `(task ${arnName(arn)})`).join(' ')

export function startedText(service: Named, taskArns: readonly string[], replaced: number): string {
  const started = `${of(service)} has started ${taskArns.length} tasks: ${list(taskArns)}.`
  return replaced === 0
    ? started
    : `${started} Amazon ECS replaced ${replaced} tasks due to an unhealthy status.`
}

export function stoppedRunningText(service: Named, taskArns: readonly string[]): string {
  return `${of(service)} has stopped ${taskArns.length} running tasks: ${list(taskArns)}.`
}

export function stoppedPendingText(service: Named, count: number): string {
  return `${of(service)} stopped ${count} pending tasks.`
}

export function unhealthyText(service: Named, taskArn: string): string {
  return `${of(service)} (task ${arnName(taskArn)}) failed container health checks.`
}

export function steadyText(service: Named): string {
  return `${of(service)} has reached a steady state.`
}

export function completedText(service: Named, deploymentId: string): string {
  return `${of(service)} (deployment ${deploymentId}) deployment completed.`
}

export function failedText(service: Named, deploymentId: string): string {
  return `${of(service)} (deployment ${deploymentId}) deployment failed: tasks failed to start.`
}

/** No source gives what AWS says of a lifecycle stage that failed. */
export function lifecycleFailedText(service: Named, deploymentId: string): string {
  return `${of(service)} (deployment ${deploymentId}) deployment failed: lifecycle stage failed.`
}

export function alarmText(service: Named, deploymentId: string): string {
  return `${of(service)} (deployment ${deploymentId}) deployment failed: alarm detected.`
}

export function rollingBackText(service: Named, deploymentId: string): string {
  return `${of(service)} rolling back to deployment ${deploymentId}.`
}

export function inconsistentText(service: Named): string {
  return `${of(service)} is unable to consistently start tasks successfully.`
}

export function blockedText(service: Named): string {
  return `${of(service)} was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.`
}

/** `deploymentId` is the one whose tasks cannot be stopped for now. AWS calls it a task set here. */
export function protectedText(service: Named, deploymentId: string, count: number): string {
  return `${of(service)} was unable to reach steady state because (taskSet ${deploymentId}) was unable to scale in due to (reason ${count} tasks under protection)`
}

/** Why the closest matching instance did not take the task, by the reason that RunTask gives. */
function shortcoming(reason: string): string {
  switch (reason) {
    case 'RESOURCE:CPU':
      return 'has insufficient CPU units available'
    case 'RESOURCE:MEMORY':
      return 'has insufficient memory available'
    case 'RESOURCE:PORTS':
    case 'RESOURCE:PORTS_UDP':
      return 'is already using a port required by your task'
    case 'ATTRIBUTE':
      return 'is missing an attribute required by your task'
    default:
      return `encountered error "${reason}"`
  }
}

/** `closest` undefined: there is no instance that could be asked, in the cluster or, when it was asked for, the provider. */
export function unplacedText(
  service: Named,
  closest: PlacementFailure | undefined,
  ofProvider = false,
): string {
  const opening = `${of(service)} was unable to place a task because no container instance met all of its requirements.`
  const more = 'For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.'
  if (!closest && ofProvider)
    return `${opening} Reason: No Container Instances were found in your capacity provider. ${more}`
  if (!closest) return `${opening} Reason: No Container Instances were found in your cluster.`
  return `${opening} The closest matching (container-instance ${arnName(closest.arn)}) ${shortcoming(closest.reason)}. ${more}`
}

/** What AWS says when Fargate has no capacity left. */
export function noFargateText(service: Named): string {
  return `${of(service)} was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.`
}

/** Why a task could not even be told to start. */
export function notLaunchedText(service: Named, error: string): string {
  return `${of(service)} failed to launch a task with (error ${error}).`
}

export function unbalancedText(service: Named, counts: ZoneCounts): string {
  return `${of(service)} is not AZ balanced with ${countsText(counts)}. AZ Rebalancing in progress.`
}

export function rebalancedStartText(service: Named, zone: string, taskArns: readonly string[]): string {
  return `${of(service)} has started ${taskArns.length} tasks in ${zone} to AZ Rebalance: ${list(taskArns)}.`
}

export function rebalancedStopText(service: Named, zone: string, taskArns: readonly string[]): string {
  return `${of(service)} has stopped ${taskArns.length} running tasks in ${zone} due to AZ rebalancing: ${list(taskArns)}.`
}

export function balancedText(service: Named, counts: ZoneCounts): string {
  return `${of(service)} is AZ balanced with ${countsText(counts)}.`
}

export function rebalancingStoppedText(service: Named): string {
  return `${of(service)} stopped AZ Rebalancing.`
}

/**
 * Two troubles of the same cause are not said twice. Which instance matched most closely, or how many tasks are
 * protected, is no cause: it may be another at every look.
 */
export function troubleCause(message: string): string {
  return message.replace(/(?:\.| due to \(reason ).*$/s, '')
}
