import type { FargateLimits } from '@berth/control-plane/domain/fargate.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import type { Change, View } from '@berth/control-plane/state/store.ts'

/**
 * The Fargate tasks on hosts stay within what there is for them, a task stays where it was put, and a Spot task is
 * interrupted only for one on demand that waits. Undefined when the changes break nothing.
 */
export function brokenFargateLaw(
  view: View,
  changes: ReadonlyArray<Change<'task'>>,
  { cpu, memoryMiB }: FargateLimits,
): string | undefined {
  const own = changes.filter(({ before, after }) => (after ?? before)?.launchType === 'FARGATE')
  for (const { before, after } of own) {
    const host = before?.containerInstanceArn
    if (after && host !== undefined && after.containerInstanceArn !== host)
      return `${after.taskArn} moved from ${host} to ${after.containerInstanceArn}`
    if (after?.stopCode === 'SpotInterruption' && before?.stopCode === undefined) {
      if (after.capacityProviderName !== 'FARGATE_SPOT')
        return `${after.taskArn} was interrupted, and is not on Spot`
      if (!waitsOnDemand(view)) return `${after.taskArn} was interrupted for nobody`
    }
  }
  if (!own.some(({ before, after }) => before?.containerInstanceArn !== after?.containerInstanceArn))
    return undefined
  const placed = view
    .list('task')
    .filter((task) => isFargate(task) && task.containerInstanceArn !== undefined)
    .map(({ demand }) => demand)
  const sum = (of: (demand: Task['demand']) => number): number =>
    placed.reduce((total, demand) => total + of(demand), 0)
  const held = { cpu: sum((demand) => demand.cpu), memoryMiB: sum((demand) => demand.memoryMiB) }
  return held.cpu > cpu || held.memoryMiB > memoryMiB
    ? `Fargate holds ${held.cpu} CPU units and ${held.memoryMiB} MiB, more than it has`
    : undefined
}

const isFargate = ({ launchType, lastStatus }: Task): boolean =>
  launchType === 'FARGATE' && lastStatus !== 'STOPPED'

function waitsOnDemand(view: View): boolean {
  return view
    .by('task', 'fargate', 'waiting')
    .some(({ capacityProviderName }) => capacityProviderName !== 'FARGATE_SPOT')
}
