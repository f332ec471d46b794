import { instanceTypes } from '#domain/ec2-instance-type.ts'
import { type FargateLimits, hostTypeFor, isWindows } from '#domain/fargate.ts'
import type { Demand } from '#domain/resources.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Fleet } from './fleet.ts'

/** Whether Fargate has room for one more task of the definition. */
export function hasFargateFor(
  fleet: Fleet,
  taskDefinition: TaskDefinition,
  limits: FargateLimits | undefined,
  task: { readonly demand: Demand; readonly capacityProviderName?: string | undefined },
): boolean {
  if (!limits || isWindows(taskDefinition)) return false
  const wanted = taskDefinition.runtimePlatform?.cpuArchitecture === 'ARM64' ? 'arm64' : 'x86_64'
  if (wanted !== limits.cpuArchitecture) return false
  if (!hostTypeFor(task.demand, limits.cpuArchitecture, instanceTypes)) return false
  return fleet.admitsFargate(task.demand, task.capacityProviderName === 'FARGATE_SPOT', limits)
}
