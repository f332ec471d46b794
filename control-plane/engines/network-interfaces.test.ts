import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { attachmentDetail } from '#domain/network-interface.ts'
import { newTask, observeTask, placedOn, type Task } from '#domain/task.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import { networkInterfaces } from './network-interfaces.ts'
import { rulesFor } from './security-groups.ts'

let context: TestContext
let defaultGroup: string
beforeEach(async () => {
  context = await testContext()
  defaultGroup = context.store.update((tx) => ensureDefaultNetwork(tx, context.scope)).securityGroup.groupId
})

/** A task on an instance in us-east-1a. */
function putTask(subnets: readonly string[], securityGroups: readonly string[] = []): Task {
  const { scope, ids, store } = context
  const cluster = putCluster(context, 'default')
  const instance = putContainerInstance(context, cluster, 'one')
  const task = newTask({
    scope,
    cluster,
    taskDefinition: putTaskDefinition(context, 'web:1'),
    ids,
    now: 0,
    placement: placedOn(instance),
    group: 'family:web',
    launchType: 'EC2',
    enableExecuteCommand: false,
    network: { subnets, securityGroups, assignPublicIp: false },
  })
  store.update((tx) => tx.put('task', task))
  return task
}
const subnetsIn = (zone: string): string[] =>
  context.store
    .list('subnet')
    .filter(({ availabilityZone }) => availabilityZone === zone)
    .map(({ subnetId }) => subnetId)
const look = (taskArn: string): Task | undefined =>
  context.store.update((tx) => {
    networkInterfaces(context.ids).reconcile(tx, context.clock.now(), new Set([taskArn]))
    return tx.find('task', taskArn)
  })

test('a placed task gets an address of the subnet in its zone, and its attachment tells it', () => {
  const { taskArn, attachments } = putTask([...subnetsIn('us-east-1b'), ...subnetsIn('us-east-1a')])
  expect(attachments).toMatchObject([{ status: 'PRECREATED' }])
  const [attachment] = look(taskArn)?.attachments ?? []
  const [row] = context.store.by('networkInterface', 'task', taskArn)
  expect(row).toMatchObject({ availabilityZone: 'us-east-1a', securityGroupIds: [defaultGroup] })
  expect(attachment).toMatchObject({ id: attachments?.[0]?.id, status: 'ATTACHING' })
  expect(attachment && attachmentDetail(attachment, 'privateIPv4Address')).toBe(row?.privateIpAddress)
  expect(look(taskArn)?.attachments).toEqual([attachment])
  expect(context.store.list('networkInterface')).toHaveLength(1)
})

test('the attachment is ATTACHED when the agent says so, and DELETED with the address when the task has stopped', () => {
  const { taskArn } = putTask(subnetsIn('us-east-1a'))
  const task = look(taskArn)
  if (!task) throw new Error('the task is gone')
  const attached = observeTask(task, { now: 1, containers: [], attached: [task.attachments?.[0]?.id ?? ''] })
  expect(attached.attachments).toMatchObject([{ status: 'ATTACHED' }])
  const stopped = observeTask(attached, { now: 2, containers: [], status: 'STOPPED' })
  expect(stopped.attachments).toMatchObject([{ status: 'DELETED' }])
  context.store.update((tx) => tx.put('task', stopped))
  look(taskArn)
  expect(context.store.list('networkInterface')).toEqual([])
})

test.each<[string, () => readonly string[], readonly string[], string]>([
  ['a subnet that is gone', () => ['subnet-0'], [], 'InvalidSubnetID.NotFound'],
  ['a group that is gone', () => subnetsIn('us-east-1a'), ['sg-0'], 'InvalidGroup.NotFound'],
])('%s ends the task', (_, subnets, groups, code) => {
  const { taskArn } = putTask(subnets(), groups)
  const task = look(taskArn)
  expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' })
  expect(task?.stoppedReason).toContain(code)
})

test('a subnet without a free address ends the task as at AWS', () => {
  const [subnetId = ''] = subnetsIn('us-east-1a')
  context.store.update((tx) => {
    const subnet = tx.find('subnet', subnetId)
    if (subnet) tx.put('subnet', { ...subnet, cidrBlock: '172.31.0.0/30' })
  })
  expect(look(putTask([subnetId]).taskArn)?.stoppedReason).toBe(
    `Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet '${subnetId}': InsufficientFreeAddressesInSubnet`,
  )
})

test('an instance is told the rules of its interfaces and the members of the groups they name', () => {
  const task = look(putTask(subnetsIn('us-east-1a')).taskArn)
  const [row] = context.store.list('networkInterface')
  expect(rulesFor(context.store, task?.containerInstanceArn ?? '')).toEqual({
    interfaces: [
      {
        ec2Id: row?.networkInterfaceId,
        privateAddress: row?.privateIpAddress,
        ingress: [{ protocol: '-1', groupId: defaultGroup }],
        egress: [{ protocol: '-1', cidr: '0.0.0.0/0' }],
      },
    ],
    groups: { [defaultGroup]: [row?.privateIpAddress] },
  })
})
