import { expect, test } from 'vitest'
import { instanceTypes } from './ec2-instance-type.ts'
import {
  fargateAccountId,
  fargatePool,
  fargateTraits,
  hostTypeFor,
  maySpeakFor,
  placedInCluster,
} from './fargate.ts'
import { taskRow } from './placement/testing.ts'

const gib = 1024

test.each([
  [{ cpu: 256, memoryMiB: 512 }, 'x86_64', 'm5.large'],
  [{ cpu: 2048, memoryMiB: 8 * gib }, 'x86_64', 'r5.large'],
  [{ cpu: 4096, memoryMiB: 16 * gib }, 'x86_64', 'r5.xlarge'],
  [{ cpu: 16_384, memoryMiB: 120 * gib }, 'x86_64', 'r5.4xlarge'],
  [{ cpu: 256, memoryMiB: 512 }, 'arm64', 'm6g.large'],
] as const)('a task of %j on %s takes a %s at least', (room, architecture, expected) => {
  expect(hostTypeFor(room, architecture, instanceTypes)?.instanceType).toBe(expected)
})

test('agents speak for tasks of their account, those of Fargate’s hosts for all Fargate tasks of their region', () => {
  const of = (launchType: 'EC2' | 'FARGATE', region = 'us-east-1') =>
    taskRow({ accountId: '111111111111', region, launchType })
  const own = { accountId: '111111111111', region: 'us-east-1' }
  const pool = { accountId: fargateAccountId, region: 'us-east-1' }
  expect(maySpeakFor(own, of('EC2'))).toBe(true)
  expect(maySpeakFor({ ...own, accountId: '222222222222' }, of('EC2'))).toBe(false)
  expect(maySpeakFor(pool, of('FARGATE'))).toBe(true)
  expect(maySpeakFor(pool, of('EC2'))).toBe(false)
  expect(maySpeakFor(pool, of('FARGATE', 'eu-west-1'))).toBe(false)
})

test('a Fargate task counts in the cluster of its host, every other in its own', () => {
  const containerInstanceArn = `arn:aws:ecs:eu-west-1:${fargateAccountId}:container-instance/fargate/1`
  const task = taskRow({ launchType: 'FARGATE', containerInstanceArn })
  expect(placedInCluster(task)).toBe(fargatePool('eu-west-1').clusterArn)
  expect(placedInCluster({ ...task, launchType: 'EC2' })).toBe(task.clusterArn)
})

test.each([
  [{}, {}, { platformVersion: '1.4.0', platformFamily: 'Linux', ephemeralStorageGiB: 20 }],
  [{}, { platformVersion: '1.3.0' }, { platformVersion: '1.3.0' }],
  [{ ephemeralStorage: { sizeInGiB: 30 } }, {}, { ephemeralStorageGiB: 30 }],
  [
    { ephemeralStorage: { sizeInGiB: 30 } },
    { overrides: { ephemeralStorage: { sizeInGiB: 40 } } },
    { ephemeralStorageGiB: 40 },
  ],
  [
    {},
    { network: { subnets: [], securityGroups: [], assignPublicIp: false, availabilityZone: 'us-east-1b' } },
    { availabilityZone: 'us-east-1b' },
  ],
])('a task of %j with %j shows %j', (taskDefinition, request, shown) => {
  expect(fargateTraits(taskDefinition, request)).toMatchObject(shown)
})
