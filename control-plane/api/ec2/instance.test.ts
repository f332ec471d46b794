import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { describeInstanceAttribute, describeInstances, describeInstanceStatus } from './instance.ts'
import { rebootInstances, startInstances, stopInstances, terminateInstances } from './instance-state.ts'
import { describeNetworkInterfaces } from './network-interface.ts'
import { describeSubnets } from './network.ts'
import { runInstances } from './run-instances.ts'
import { createTags, deleteTags, describeTags } from './tag.ts'

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})

const run = (input: Partial<RunInstancesCommandInput> = {}, count = 1) =>
  runInstances(context, { MinCount: count, MaxCount: count, ...input }).Instances ?? []
const idOf = (input: Partial<RunInstancesCommandInput> = {}): string => run(input)[0]?.InstanceId ?? ''
/** As the engine would write it. */
const put = (id: string, state: 'running' | 'stopped' | 'terminated'): void =>
  context.store.update((tx) => {
    const row = tx.find('instance', id)
    if (row) tx.put('instance', { ...row, state, bootSeen: row.boot })
  })
const code = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return [(error as { code: string }).code, (error as Error).message]
  }
  return 'no error'
}
const codeOf = (work: () => unknown): unknown => (code(work) as unknown[])[0]
const described = (filters: Record<string, string[]> = {}) =>
  (
    describeInstances(context, {
      Filters: Object.entries(filters).map(([Name, Values]) => ({ Name, Values })),
    }).Reservations ?? []
  ).flatMap(({ Instances = [] }) => Instances)

test('launches instances with an address, names and a place of their own each', () => {
  const instances = run({ InstanceType: 'm5.large' }, 20)
  expect(new Set(instances.map(({ PrivateIpAddress }) => PrivateIpAddress)).size).toBe(20)
  expect(instances.map(({ AmiLaunchIndex }) => AmiLaunchIndex)).toEqual(
    Array.from({ length: 20 }, (_, i) => i),
  )
  expect(instances[0]).toMatchObject({
    InstanceId: expect.stringMatching(/^i-[0-9a-f]{17}$/) as string,
    State: { Code: 0, Name: 'pending' },
    InstanceType: 'm5.large',
    ImageId: 'ami-0be7400000000000a',
    PrivateIpAddress: expect.stringMatching(/^172\.31\.\d+\.\d+$/) as string,
    Placement: { AvailabilityZone: 'us-east-1a' },
    SecurityGroups: [{ GroupName: 'default' }],
  })
})

test('gives no address twice, in whatever account and region', async () => {
  const first = run({ PrivateIpAddress: '172.31.3.3' })[0]
  expect(first?.PrivateIpAddress).toBe('172.31.3.3')
  const other = { ...context, scope: { accountId: '111111111111', region: 'eu-west-1' } }
  expect(
    code(() => runInstances(other, { MinCount: 1, MaxCount: 1, PrivateIpAddress: '172.31.3.3' })),
  ).toEqual(['InvalidIPAddress.InUse', 'Address 172.31.3.3 is in use.'])
})

test('places an instance in the subnet or the zone asked for', () => {
  const subnet = describeSubnets(context, {}).Subnets?.find(({ CidrBlock }) => CidrBlock === '172.31.32.0/20')
  expect(run({ SubnetId: subnet?.SubnetId })[0]?.Placement?.AvailabilityZone).toBe('us-east-1c')
  expect(run({ Placement: { AvailabilityZone: 'us-east-1b' } })[0]?.PrivateIpAddress).toMatch(
    /^172\.31\.(1[6-9]|2\d|3[01])\./,
  )
})

test.each<[string, Partial<RunInstancesCommandInput>, string, string]>([
  [
    'a type there is not',
    { InstanceType: 'x9.huge' as never },
    'InvalidParameterValue',
    "Invalid value 'x9.huge' for InstanceType.",
  ],
  [
    'a subnet there is not',
    { SubnetId: 'subnet-1' },
    'InvalidSubnetID.NotFound',
    "The subnet ID 'subnet-1' does not exist",
  ],
  [
    'a group there is not',
    { SecurityGroupIds: ['sg-1'] },
    'InvalidGroup.NotFound',
    "The security group 'sg-1' does not exist",
  ],
  [
    'a zone there is not',
    { Placement: { AvailabilityZone: 'us-east-1z' } },
    'InvalidParameterValue',
    'Invalid availability zone: [us-east-1z]',
  ],
  [
    'user data that is not base64',
    { UserData: '#!/bin/sh' },
    'InvalidUserData.Malformed',
    'Invalid BASE64 encoding of user data.',
  ],
  [
    'too much user data',
    { UserData: 'A'.repeat(24_000) },
    'InvalidParameterValue',
    'User data is limited to 16384 bytes',
  ],
  [
    'an address outside',
    { PrivateIpAddress: '10.0.0.9' },
    'InvalidParameterValue',
    "Address 10.0.0.9 does not fall within the subnet's address range",
  ],
  [
    'a launch template',
    { LaunchTemplate: { LaunchTemplateId: 'lt-1' } },
    'UnsupportedOperation',
    'Berth does not support LaunchTemplate in RunInstances.',
  ],
  [
    'a volume',
    { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 30 } }] },
    'UnsupportedOperation',
    'Berth does not support BlockDeviceMappings that ask for volumes in RunInstances.',
  ],
  [
    'a second network interface',
    { NetworkInterfaces: [{ DeviceIndex: 0 }, { DeviceIndex: 1 }] },
    'UnsupportedOperation',
    'Berth does not support a second NetworkInterface in RunInstances.',
  ],
  [
    'an interface that stays',
    { NetworkInterfaces: [{ DeleteOnTermination: false }] },
    'UnsupportedOperation',
    'Berth does not support NetworkInterface.DeleteOnTermination in RunInstances.',
  ],
  [
    'a host of its own',
    { Placement: { Tenancy: 'dedicated' } },
    'UnsupportedOperation',
    'Berth does not support Placement.Tenancy in RunInstances.',
  ],
  ['a dry run', { DryRun: true }, 'DryRunOperation', 'Request would have succeeded, but DryRun flag is set.'],
])('refuses %s', (_, input, expectedCode, message) => {
  expect(code(() => run(input))).toEqual([expectedCode, message])
  expect(described()).toEqual([])
})

test('answers a repeated client token with the same instances, and refuses it for another request', () => {
  const id = idOf({ ClientToken: 'once' })
  expect(idOf({ ClientToken: 'once' })).toBe(id)
  expect(described()).toHaveLength(1)
  expect(codeOf(() => run({ ClientToken: 'once', InstanceType: 't3.large' }))).toBe(
    'IdempotentParameterMismatch',
  )
})

test('finds instances by what filters say', () => {
  const tagged = idOf({
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'web-1' }] }],
  })
  const other = idOf({ InstanceType: 'm5.large' })
  put(other, 'running')
  const ids = (filters: Record<string, string[]>): (string | undefined)[] =>
    described(filters).map(({ InstanceId }) => InstanceId)
  expect(ids({ 'tag:Name': ['web-*'] })).toEqual([tagged])
  expect(ids({ 'tag-key': ['Name'] })).toEqual([tagged])
  expect(ids({ 'instance-state-name': ['running', 'stopped'] })).toEqual([other])
  expect(ids({ 'instance-type': ['m5.large'], 'instance-state-name': ['pending'] })).toEqual([])
  expect(ids({ 'private-ip-address': [described()[0]?.PrivateIpAddress ?? ''] })).toEqual([tagged])
  expect(code(() => ids({ nonsense: ['x'] }))).toEqual([
    'InvalidParameterValue',
    "The filter 'nonsense' is invalid",
  ])
})

test('pages through instances without repeating or skipping one', () => {
  const all = run({}, 12).map(({ InstanceId }) => InstanceId)
  const seen: (string | undefined)[] = []
  let NextToken: string | undefined
  do {
    const page = describeInstances(context, { MaxResults: 5, ...(NextToken !== undefined && { NextToken }) })
    seen.push(
      ...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances.map((i) => i.InstanceId)),
    )
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  expect(seen).toEqual(all)
})

test('pages through what a filter lets through only, and refuses a token it never gave', () => {
  run({}, 7)
  const large = run({ InstanceType: 'm5.large' }, 7).map(({ InstanceId }) => InstanceId)
  const Filters = [{ Name: 'instance-type', Values: ['m5.*'] }]
  const ids = (page: ReturnType<typeof describeInstances>): (string | undefined)[] =>
    (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances.map((i) => i.InstanceId))
  const one = describeInstances(context, { Filters, MaxResults: 5 })
  const two = describeInstances(context, { Filters, MaxResults: 5, NextToken: one.NextToken })
  expect([ids(one), ids(two), two.NextToken]).toEqual([large.slice(0, 5), large.slice(5), undefined])
  expect(code(() => describeInstances(context, { NextToken: 'made-up' }))).toEqual([
    'InvalidParameterValue',
    'Unable to parse pagination token',
  ])
  expect(codeOf(() => describeInstances(context, { MaxResults: 4 }))).toBe('InvalidParameterValue')
  const InstanceIds = [large[0] ?? '']
  expect(codeOf(() => describeInstances(context, { InstanceIds, MaxResults: 5 }))).toBe(
    'InvalidParameterCombination',
  )
})

test('has an answer for every filter it takes', () => {
  const [shown] = run({ KeyName: 'demo', ClientToken: 'once' })
  const network = shown?.NetworkInterfaces?.[0]
  const found: Readonly<Record<string, string | undefined>> = {
    architecture: 'x86_64',
    'availability-zone': 'us-east-1a',
    'client-token': 'once',
    'dns-name': shown?.PublicDnsName,
    'group-id': shown?.SecurityGroups?.[0]?.GroupId,
    'group-name': 'default',
    'image-id': shown?.ImageId,
    'instance-id': shown?.InstanceId,
    'instance-state-code': '0',
    'instance-state-name': 'pending',
    'instance.group-name': 'default',
    'ip-address': shown?.PublicIpAddress,
    'key-name': 'demo',
    'launch-index': '0',
    'launch-time': '2026-01-01T00:00:00*',
    'network-interface.addresses.private-ip-address': shown?.PrivateIpAddress,
    'network-interface.network-interface-id': network?.NetworkInterfaceId,
    'network-interface.subnet-id': shown?.SubnetId,
    'owner-id': '000000000000',
    'private-dns-name': shown?.PrivateDnsName,
    'private-ip-address': shown?.PrivateIpAddress,
    'subnet-id': shown?.SubnetId,
    'vpc-id': shown?.VpcId,
  }
  for (const [name, value = ''] of Object.entries(found)) {
    expect([name, described({ [name]: [value] }).length]).toEqual([name, 1])
    expect([name, described({ [name]: [`${value}x`] }).length]).toEqual([name, 0])
  }
})

test.each([
  [['i-12'], 'InvalidInstanceID.Malformed', 'Invalid id: "i-12"'],
  [
    ['i-00000000000000001'],
    'InvalidInstanceID.NotFound',
    "The instance ID 'i-00000000000000001' does not exist",
  ],
  [
    ['i-00000000000000001', 'i-00000000000000002'],
    'InvalidInstanceID.NotFound',
    "The instance IDs 'i-00000000000000001, i-00000000000000002' do not exist",
  ],
])('says of %j what AWS says', (InstanceIds, expectedCode, message) => {
  expect(code(() => describeInstances(context, { InstanceIds }))).toEqual([expectedCode, message])
})

test('shows each change of state before and after', () => {
  const id = idOf()
  const ids = { InstanceIds: [id] }
  expect(codeOf(() => stopInstances(context, ids))).toBe('IncorrectInstanceState')
  put(id, 'running')
  expect(stopInstances(context, ids).StoppingInstances).toEqual([
    {
      InstanceId: id,
      PreviousState: { Code: 16, Name: 'running' },
      CurrentState: { Code: 64, Name: 'stopping' },
    },
  ])
  expect(codeOf(() => startInstances(context, ids))).toBe('IncorrectInstanceState')
  put(id, 'stopped')
  expect(startInstances(context, ids).StartingInstances?.[0]).toMatchObject({
    PreviousState: { Name: 'stopped' },
    CurrentState: { Name: 'pending' },
  })
  put(id, 'running')
  const { boot } = context.store.find('instance', id) ?? { boot: 0 }
  rebootInstances(context, ids)
  expect(context.store.find('instance', id)?.boot).toBe(boot + 1)
  expect(terminateInstances(context, ids).TerminatingInstances?.[0]).toMatchObject({
    PreviousState: { Name: 'running' },
    CurrentState: { Name: 'shutting-down' },
  })
  put(id, 'terminated')
  expect(terminateInstances(context, ids).TerminatingInstances?.[0]).toMatchObject({
    PreviousState: { Name: 'terminated' },
    CurrentState: { Name: 'terminated' },
  })
  expect(described()[0]).toMatchObject({ State: { Name: 'terminated' }, PublicDnsName: '' })
  expect(described()[0]?.PrivateIpAddress).toBeUndefined()
})

test('shows the status of running instances, and of all when asked', () => {
  const running = idOf()
  put(running, 'running')
  idOf()
  expect(describeInstanceStatus(context, {}).InstanceStatuses).toMatchObject([
    { InstanceId: running, InstanceStatus: { Status: 'ok' }, SystemStatus: { Status: 'ok' } },
  ])
  expect(describeInstanceStatus(context, { IncludeAllInstances: true }).InstanceStatuses).toHaveLength(2)
})

test('tags resources, shows their tags and takes them away', () => {
  const id = idOf()
  createTags(context, {
    Resources: [id],
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ],
  })
  expect(describeTags(context, { Filters: [{ Name: 'resource-id', Values: [id] }] }).Tags).toEqual([
    { Key: 'a', Value: '1', ResourceId: id, ResourceType: 'instance' },
    { Key: 'b', Value: '2', ResourceId: id, ResourceType: 'instance' },
  ])
  deleteTags(context, { Resources: [id], Tags: [{ Key: 'a' }, { Key: 'b', Value: 'other' }] })
  expect(described()[0]?.Tags).toEqual([{ Key: 'b', Value: '2' }])
  expect(codeOf(() => createTags(context, { Resources: [id], Tags: [{ Key: 'aws:x', Value: '' }] }))).toBe(
    'InvalidParameterValue',
  )
})

test('counts the free addresses of a subnet and shows the interfaces that hold the others', () => {
  const id = idOf()
  expect(
    describeSubnets(context, {})
      .Subnets?.map((subnet) => subnet.AvailableIpAddressCount)
      .toSorted(),
  ).toEqual([4090, 4091, 4091])
  expect(describeNetworkInterfaces(context, {}).NetworkInterfaces).toMatchObject([
    { Status: 'in-use', Attachment: { InstanceId: id, DeviceIndex: 0 } },
  ])
})

test('shows nothing of another account', () => {
  const id = idOf()
  const other = { ...context, scope: { accountId: '111111111111', region: 'us-east-1' } }
  expect(describeInstances(other, {}).Reservations).toEqual([])
  expect(codeOf(() => terminateInstances(other, { InstanceIds: [id] }))).toBe('InvalidInstanceID.NotFound')
})

test.each(['kernel', 'constructor'])('does not keep the attribute %s', (name) => {
  const input = { InstanceId: idOf(), Attribute: name as 'kernel' }
  expect(code(() => describeInstanceAttribute(context, input))).toEqual([
    'UnsupportedOperation',
    `Berth does not keep the attribute ${name}.`,
  ])
})
