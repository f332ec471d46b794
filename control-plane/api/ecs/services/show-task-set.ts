import type { TaskSet as TaskSetShape } from '@aws-sdk/client-ecs'
import type { Service } from '#domain/service.ts'
import { countTasks } from '#domain/task-counts.ts'
import { computedDesiredCount, stabilityOf, type TaskSet } from '#domain/task-set.ts'
import type { View } from '#state/store.ts'
import { showTags } from '#api/ecs/tag.ts'

/**
 * A task set as AWS shows it, its counts derived from its tasks; its tags only where they are asked for. Right after a
 * change nobody has looked yet whether it is stable.
 */
export function showTaskSet(
  view: View,
  service: Service,
  taskSet: TaskSet,
  { tags = false, changed = false } = {},
): TaskSetShape {
  const { launchType, capacityProviderStrategy, platformVersion, networkConfiguration, externalId } = taskSet
  const tasks = view.by('task', 'deployment', taskSet.id)
  const computed = computedDesiredCount(taskSet, service.desiredCount)
  const stabilityStatus = changed
    ? 'STABILIZING'
    : stabilityOf(computed, tasks, (arn) => view.find('containerInstance', arn))
  const { status: seen, at = taskSet.updatedAt } = taskSet.stability ?? {}
  return {
    id: taskSet.id,
    taskSetArn: taskSet.taskSetArn,
    serviceArn: taskSet.serviceArn,
    clusterArn: taskSet.clusterArn,
    ...(externalId !== undefined && { externalId }),
    status: taskSet.status,
    taskDefinition: taskSet.taskDefinitionArn,
    computedDesiredCount: computed,
    ...countTasks(tasks),
    createdAt: new Date(taskSet.createdAt),
    updatedAt: new Date(taskSet.updatedAt),
    ...(capacityProviderStrategy
      ? { capacityProviderStrategy: [...capacityProviderStrategy] }
      : launchType !== undefined && { launchType }),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration && { networkConfiguration }),
    loadBalancers: [...taskSet.loadBalancers],
    serviceRegistries: [...taskSet.serviceRegistries],
    scale: { value: taskSet.scalePercent, unit: 'PERCENT' },
    stabilityStatus,
    // What the scheduler has not looked at yet became so with the last change.
    stabilityStatusAt: new Date(stabilityStatus === seen ? at : taskSet.updatedAt),
    ...(tags && { tags: showTags(view, taskSet.taskSetArn) }),
  }
}
