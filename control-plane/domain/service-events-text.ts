/** What a service says in its events, in AWS's words. */
import { arnName } from './arn.ts'
import type { PlacementFailure } from './placement/place.ts'
import type { Service } from './service.ts'

type Named = Pick<Service, 'serviceName'>
const of = ({ serviceName }: Named): string => `(service ${serviceName})`
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

export function rollingBackText(service: Named, deploymentId: string): string {
  return `${of(service)} rolling back to deployment ${deploymentId}.`
}

export function inconsistentText(service: Named): string {
  return `${of(service)} is unable to consistently start tasks successfully.`
}

export function blockedText(service: Named): string {
  return `${of(service)} was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.`
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

/** `closest` undefined: the cluster has no instance that could be asked. */
export function unplacedText(service: Named, closest: PlacementFailure | undefined): string {
  const opening = `${of(service)} was unable to place a task because no container instance met all of its requirements.`
  if (!closest) return `${opening} Reason: No Container Instances were found in your cluster.`
  return `${opening} The closest matching (container-instance ${arnName(closest.arn)}) ${shortcoming(closest.reason)}. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.`
}

/**
 * Two troubles of the same cause are not said twice. Which instance matched most closely is no cause: it may be another
 * at every look.
 */
export function troubleCause(message: string): string {
  return message.slice(0, message.indexOf('.') + 1)
}
