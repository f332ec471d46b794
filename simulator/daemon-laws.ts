/** The laws of daemons: of DAEMON services, and managed ones. */
import { arnName } from '@berth/control-plane/domain/arn.ts'
import type { ContainerInstance } from '@berth/control-plane/domain/container-instance.ts'
import { isOver } from '@berth/control-plane/domain/daemon.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import type { Change, View } from '@berth/control-plane/state/store.ts'

/** After each transaction: no instance has two tasks of one daemon that are not STOPPED. Undefined when that is so. */
export function brokenDaemonLaw(view: View, changes: ReadonlyArray<Change<'task'>>): string | undefined {
  for (const { before, after } of changes) {
    const daemon = after && !before ? daemonOf(view, after) : undefined
    if (daemon === undefined) continue
    const there = view
      .by('task', 'containerInstance', after?.containerInstanceArn ?? '')
      .filter((task) => daemonOf(view, task) === daemon)
    if (there.length > 1)
      return `${daemon} has ${there.map(({ taskArn }) => taskArn).join(' and ')} on one instance`
  }
  return undefined
}

function daemonOf(view: View, { daemonArn, serviceArn }: Task): string | undefined {
  const service = view.find('service', serviceArn ?? '')
  return service?.schedulingStrategy === 'DAEMON' ? serviceArn : daemonArn
}

/** At the end: each instance that should have one has a task of each daemon that runs. Undefined when that is so. */
export function unsettledDaemons(view: View): string | undefined {
  for (const { serviceArn, clusterArn, taskDefinitionArn, ...service } of view.list('service')) {
    if (service.schedulingStrategy !== 'DAEMON' || service.status !== 'ACTIVE') continue
    const wrong = withoutItsOne(view, view.by('containerInstance', 'cluster', clusterArn), {
      isOwn: (task) => task.serviceArn === serviceArn,
      isCurrent: (task) => task.taskDefinitionArn === taskDefinitionArn,
    })
    if (wrong) return `${serviceArn} has not its one task on ${wrong}`
  }
  for (const daemon of view.list('daemon')) {
    const { daemonArn, daemonRevisionArn, deploymentArn, clusterArn, status } = daemon
    if (status !== 'ACTIVE') return `${daemonArn} is ${status}`
    const deployment = view.find('daemonDeployment', deploymentArn)
    if (!deployment || !isOver(deployment)) return `${deploymentArn} is ${deployment?.status}`
    // What never ran anywhere and failed too often is left as it is.
    if (deployment.status === 'STOPPED') continue
    const instances = daemon.capacityProviderArns.flatMap((arn) =>
      view.by('containerInstance', 'capacityProvider', `${clusterArn} ${arnName(arn)}`),
    )
    const wrong = withoutItsOne(view, instances, {
      isOwn: (task) => task.daemonArn === daemonArn,
      isCurrent: (task) => task.daemonRevisionArn === daemonRevisionArn,
    })
    if (wrong) return `${daemonArn} has not its one task on ${wrong}`
  }
  return undefined
}

/** An instance without exactly one task that is its own and current. */
function withoutItsOne(
  view: View,
  instances: readonly ContainerInstance[],
  { isOwn, isCurrent }: Readonly<Record<'isOwn' | 'isCurrent', (task: Task) => boolean>>,
): string | undefined {
  return instances
    .filter(isEligible)
    .map(({ containerInstanceArn }) => containerInstanceArn)
    .find((arn) => {
      const own = view.by('task', 'containerInstance', arn).filter(isOwn)
      return own.length !== 1 || !own.every(isCurrent)
    })
}

/** A registration whose answer was lost may stand there without an agent for ever. */
function isEligible({ status, agentConnected }: ContainerInstance): boolean {
  return status === 'ACTIVE' && agentConnected
}
