import { arnName } from '#domain/arn.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { isFargateHost } from '#domain/fargate.ts'
import { instanceState } from '#domain/instance.ts'
import { loseTask } from '#domain/task.ts'
import type { Transaction, View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'

/** How long an agent may be without a session before it counts as lost: enough to connect again after a restart of either side. */
const agentGraceMs = 60_000

/**
 * Gives up agents that have been away for too long, and the tasks of hosts that are gone for good. `hasSession` asks
 * the agent gateway whether it holds a session with the instance; `view` is the store.
 */
export function instanceLiveness({
  view,
  hasSession,
  graceMs = agentGraceMs,
}: {
  readonly view: View
  readonly hasSession: (containerInstanceArn: string) => boolean
  readonly graceMs?: number
}): Reconciler {
  return {
    name: 'instance-liveness',
    watches: {
      containerInstance: (row) => [row.containerInstanceArn, ...onHost(view, row.ec2InstanceId)],
      instance: (row) => onHost(view, row.instanceId),
    },
    periodMs: 60_000,
    everywhere: (all) =>
      all
        .list('containerInstance')
        .filter((row) => row.status !== 'INACTIVE')
        .map((row) => row.containerInstanceArn),
    reconcile(tx, now, places = new Set()) {
      const again: Array<{ place: string; at: number }> = []
      for (const place of places) {
        const row = tx.find('containerInstance', place)
        if (!row || row.status === 'INACTIVE') continue
        const after =
          withoutHost(tx, row, now) ??
          withoutState(tx, row, now) ??
          withoutAgent(row, now, { hasSession: hasSession(place), graceMs })
        tx.put('containerInstance', after)
        tellTasks(tx, after, now)
        if (after.agentConnected && after.agentLostBy !== undefined)
          again.push({ place, at: after.agentLostBy })
      }
      return { again }
    },
  }
}

const gone: { readonly [State in ReturnType<typeof instanceState>]?: string } = {
  stopped: 'stopped',
  'shutting-down': 'terminated',
  terminated: 'terminated',
}

/** The container instance after its EC2 instance stopped or was terminated; undefined while that runs, or is not ours. */
function withoutHost(tx: Transaction, row: ContainerInstance, now: number): ContainerInstance | undefined {
  const host = tx.find('instance', row.ec2InstanceId ?? '')
  const end = host && gone[instanceState(host)]
  if (host === undefined || end === undefined) return undefined
  loseTasks(tx, row, end, now)
  if (end === 'terminated') return inactive(row, now)
  return row.agentConnected ? disconnected({ ...row, version: row.version + 1 }) : row
}

/**
 * The container instance after its host came back as another one, with an agent that has lost what it knew: nobody will
 * ever speak for this one's tasks again. Only for instances that Berth launched; undefined where that is not so.
 */
function withoutState(tx: Transaction, row: ContainerInstance, now: number): ContainerInstance | undefined {
  const { ec2InstanceId = '', agentConnected, clusterArn, registeredAt } = row
  if (agentConnected || !tx.find('instance', ec2InstanceId)) return undefined
  const successor = tx
    .by('containerInstance', 'ec2Instance', ec2InstanceId)
    .find(
      (other) => other.agentConnected && other.clusterArn === clusterArn && other.registeredAt > registeredAt,
    )
  if (!successor) return undefined
  loseTasks(tx, row, `registered anew as ${arnName(successor.containerInstanceArn)}`, now)
  return inactive(row, now)
}

/** Of Fargate's hosts a task is told what AWS tells those that it retires: whose they are is nobody's to see. */
function loseTasks(tx: Transaction, row: ContainerInstance, what: string, now: number): void {
  const stoppedReason = isFargateHost(row)
    ? 'ECS is performing maintenance on the underlying infrastructure hosting the task.'
    : `Host EC2 (instance ${row.ec2InstanceId}) ${what}.`
  for (const task of tx.by('task', 'containerInstance', row.containerInstanceArn))
    tx.put('task', loseTask(task, { stopCode: 'TerminationNotice', stoppedReason, now }))
}

function inactive(row: ContainerInstance, now: number): ContainerInstance {
  return disconnected({ ...row, status: 'INACTIVE', inactiveAt: now, version: row.version + 1 })
}

/** The container instances that an EC2 instance is or was. */
function onHost(view: View, instanceId: string | undefined): string[] {
  if (instanceId === undefined) return []
  return view.by('containerInstance', 'ec2Instance', instanceId).map((row) => row.containerInstanceArn)
}

function withoutAgent(
  row: ContainerInstance,
  now: number,
  { hasSession, graceMs }: { readonly hasSession: boolean; readonly graceMs: number },
): ContainerInstance {
  if (!row.agentConnected || hasSession) return row
  // A control plane that has just started holds no session yet with agents that are all well.
  if (row.agentLostBy === undefined) return { ...row, agentLostBy: now + graceMs }
  return now < row.agentLostBy ? row : disconnected({ ...row, version: row.version + 1 })
}

function disconnected(row: ContainerInstance): ContainerInstance {
  const { agentLostBy: _, ...lost } = row
  return { ...lost, agentConnected: false }
}

/** A task is as well connected as its agent. */
function tellTasks(
  tx: Transaction,
  { containerInstanceArn, agentConnected }: ContainerInstance,
  now: number,
): void {
  const connectivity = agentConnected ? 'CONNECTED' : 'DISCONNECTED'
  for (const task of tx.by('task', 'containerInstance', containerInstanceArn))
    if (task.connectivity !== connectivity)
      tx.put('task', {
        ...task,
        connectivity,
        ...(agentConnected && { connectivityAt: now }),
        version: task.version + 1,
      })
}
