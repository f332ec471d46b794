// Gives each placed task of network mode awsvpc its network interface, and takes it back when the task has STOPPED.
import type { Ids } from '@berth/std/id.ts'
import { arnName } from '#domain/arn.ts'
import {
  attachmentOf,
  macAddressOf,
  type NetworkInterface,
  type TaskNetwork,
} from '#domain/network-interface.ts'
import type { Subnet } from '#domain/instance.ts'
import { loseTask, type Task } from '#domain/task.ts'
import type { Transaction } from '#state/store.ts'
import { defaultGroupOf, freeAddress } from '#state/vpc.ts'
import type { Reconciler } from './reconciler.ts'

/**
 * What is: the interfaces of tasks. What should be: one for each task that has an instance and asks for one, none for a
 * task that is STOPPED or gone. A place is a task's ARN. What EC2 refuses ends the task, with the text AWS gives it.
 */
export function networkInterfaces(ids: Ids): Reconciler {
  return {
    name: 'network-interfaces',
    watches: { task: (row) => (row.network ? row.taskArn : undefined) },
    periodMs: 60_000,
    everywhere: (view) => [
      ...view.list('networkInterface').flatMap((row) => row.taskArn ?? []),
      ...view.by('task', 'lacksInterface', 'all').map((row) => row.taskArn),
    ],
    reconcile: (tx, now, places = new Set()) => {
      for (const taskArn of places) bring(tx, ids, taskArn, now)
      return {}
    },
  }
}

function bring(tx: Transaction, ids: Ids, taskArn: string, now: number): void {
  const task = tx.find('task', taskArn)
  const rows = tx.by('networkInterface', 'task', taskArn)
  if (!task || task.lastStatus === 'STOPPED') {
    for (const row of rows) tx.delete('networkInterface', row.networkInterfaceId)
    return
  }
  if (!task.network || task.containerInstanceArn === undefined || rows.length > 0) return
  if (task.desiredStatus === 'STOPPED') return
  const made = makeInterface(tx, ids, task, task.network, now)
  if ('problem' in made) {
    const stoppedReason = `Unexpected EC2 error while attempting to ${made.problem}`
    return tx.put('task', loseTask(task, { stopCode: 'TaskFailedToStart', stoppedReason, now }))
  }
  tx.put('networkInterface', made)
  tx.put('task', { ...task, attachments: [attachmentOf(made, 'ATTACHING')], version: task.version + 1 })
}

function makeInterface(
  tx: Transaction,
  ids: Ids,
  task: Task,
  network: TaskNetwork,
  now: number,
): NetworkInterface | { readonly problem: string } {
  const subnets = network.subnets.flatMap((subnetId) => tx.find('subnet', subnetId) ?? [])
  const subnet = subnets.find((candidate) => suits(task, candidate))
  if (!subnet)
    return { problem: `Describe Subnets: InvalidSubnetID.NotFound (subnets ${network.subnets.join(', ')})` }
  const privateIpAddress = freeAddress(tx, subnet, () => ids.fraction())
  const { region, accountId, containerInstanceArn = '' } = task
  if (privateIpAddress === undefined)
    return {
      problem: `Create Network Interface with public IP assignment ${network.assignPublicIp ? 'enabled' : 'disabled'} in subnet '${subnet.subnetId}': InsufficientFreeAddressesInSubnet`,
    }
  const attachmentId = task.attachments?.[0]?.id ?? ids.uuid()
  const defaultGroup = defaultGroupOf(tx, subnet.vpcId)
  const given = network.securityGroups.length > 0 ? network.securityGroups : [defaultGroup ?? '']
  const securityGroupIds = given.filter((groupId) => tx.find('securityGroup', groupId) !== undefined)
  if (securityGroupIds.length < given.length)
    return { problem: `Create Network Interface: InvalidGroup.NotFound (groups ${given.join(', ')})` }
  const instanceId = tx.find('containerInstance', containerInstanceArn)?.ec2InstanceId
  return {
    accountId,
    region,
    networkInterfaceId: `eni-0${ids.hex(16)}`,
    vpcId: subnet.vpcId,
    subnetId: subnet.subnetId,
    availabilityZone: subnet.availabilityZone,
    privateIpAddress,
    macAddress: macAddressOf(privateIpAddress),
    securityGroupIds,
    description: `arn:aws:ecs:${region}:${accountId}:attachment/${arnName(attachmentId)}`,
    sourceDestCheck: true,
    ...(network.assignPublicIp && { hasPublicAddress: true }),
    taskArn: task.taskArn,
    attachmentId,
    containerInstanceArn,
    ...(instanceId !== undefined && { instanceId }),
    createdAt: now,
  }
}

/** On EC2 an interface is in the zone of its instance; of Fargate's hosts no zone is known to anybody. */
function suits({ launchType, availabilityZone }: Task, subnet: Subnet): boolean {
  return (
    launchType === 'FARGATE' || availabilityZone === undefined || subnet.availabilityZone === availabilityZone
  )
}
