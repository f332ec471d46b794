import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { describeImages, describeInstanceTypes } from './machine.ts'
import { describeAvailabilityZones, describeRegions, describeVpcs } from './network.ts'
import { describeSecurityGroups } from './security-group.ts'

test.each([
  ['t2.micro', 1, 1024],
  ['t3.micro', 2, 1024],
  ['t3.medium', 2, 4096],
  ['m5.xlarge', 4, 16_384],
  ['c5.large', 2, 4096],
  ['c5.18xlarge', 72, 147_456],
  ['r5.2xlarge', 8, 65_536],
  ['t4g.nano', 2, 512],
])('knows that %s has %i vCPUs and %i MiB', async (type, vcpu, memoryMiB) => {
  const { InstanceTypes } = describeInstanceTypes(await testContext(), { InstanceTypes: [type as never] })
  expect(InstanceTypes).toMatchObject([
    { InstanceType: type, VCpuInfo: { DefaultVCpus: vcpu }, MemoryInfo: { SizeInMiB: memoryMiB } },
  ])
})

test('refuses instance types there are not', async () => {
  const context = await testContext()
  expect(() => describeInstanceTypes(context, { InstanceTypes: ['c5.8xlarge'] as never })).toThrow(
    'The following supplied instance types do not exist: [c5.8xlarge]',
  )
})

test('has a default network in every account and region, always of the same ids', async () => {
  const context = await testContext({ region: 'eu-central-1' })
  const [vpc] = describeVpcs(context, {}).Vpcs ?? []
  expect(vpc).toMatchObject({ CidrBlock: '172.31.0.0/16', IsDefault: true })
  expect(describeVpcs(await testContext({ region: 'eu-central-1' }), {}).Vpcs?.[0]?.VpcId).toBe(vpc?.VpcId)
  expect(describeSecurityGroups(context, { GroupNames: ['default'] }).SecurityGroups).toMatchObject([
    { GroupName: 'default', VpcId: vpc?.VpcId },
  ])
  expect(describeAvailabilityZones(context, {}).AvailabilityZones).toMatchObject([
    { ZoneName: 'eu-central-1a', ZoneId: 'euc1-az1' },
    { ZoneName: 'eu-central-1b', ZoneId: 'euc1-az2' },
    { ZoneName: 'eu-central-1c', ZoneId: 'euc1-az3' },
  ])
  expect(describeRegions(context, { RegionNames: ['eu-central-1'] }).Regions).toMatchObject([
    { RegionName: 'eu-central-1', Endpoint: '127.0.0.1:4566' },
  ])
})

test('has one image', async () => {
  const context = await testContext()
  expect(describeImages(context, { Owners: ['amazon'] }).Images).toMatchObject([
    { ImageId: 'ami-0be7400000000000a' },
  ])
  expect(describeImages(context, { Filters: [{ Name: 'name', Values: ['al2023-*'] }] }).Images).toEqual([])
  expect(() => describeImages(context, { ImageIds: ['ami-1'] })).toThrow(
    "The image id '[ami-1]' does not exist",
  )
})
