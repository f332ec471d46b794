/** What RunTask and StartTask refuse alike. */
import type { RunTaskRequest, TaskVolumeConfiguration } from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import { runTask } from './run-task.ts'
import { startTask } from './start-task.ts'
import {
  executesCommands,
  putCluster,
  putContainerInstance,
  putTaskDefinition,
  refusalOf,
} from '#api/ecs/testing-rows.ts'

type Shared = Omit<Partial<RunTaskRequest>, 'count' | 'launchType' | 'clientToken' | 'cluster'>

let context: TestContext
const instanceId = '1'.repeat(32)
const operations = {
  RunTask: (input: Shared) => runTask.run(context, { cluster: 'c', taskDefinition: 'web', ...input }),
  StartTask: (input: Shared) =>
    startTask.run(context, {
      cluster: 'c',
      taskDefinition: 'web',
      containerInstances: [instanceId],
      ...input,
    }),
}

beforeEach(async () => {
  context = await testContext()
  const cluster = putCluster(context, 'c')
  putContainerInstance(context, cluster, instanceId, executesCommands)
  putTaskDefinition(context, 'web:1', { memory: 100 })
  putTaskDefinition(context, 'sized:1', { memory: 100 }, { cpu: '256', memory: '256' })
  putTaskDefinition(context, 'old:1', {}, { status: 'INACTIVE' })
  putTaskDefinition(context, 'vpc:1', {}, { networkMode: 'awsvpc' })
  putTaskDefinition(context, 'fargate:1', {}, { networkMode: 'awsvpc', compatibilities: ['FARGATE'] })
  putTaskDefinition(context, 'volume:1', {}, { volumes: [{ name: 'data', configuredAtLaunch: true }] })
})

const invalid = 'InvalidParameterException: '
const app = (override: object): Shared => ({
  overrides: { containerOverrides: [{ name: 'app', ...override }] },
})
const network = (awsvpcConfiguration: object): Shared => ({
  taskDefinition: 'vpc',
  networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'], ...awsvpcConfiguration } },
})
const many = (count: number, what: string): string[] =>
  Array.from({ length: count }, (_, index) => `${what}-${index}`)
const ebs = { roleArn: 'arn:aws:iam::000000000000:role/ecs', sizeInGiB: 10 }
const volume = (managedEBSVolume: Partial<TaskVolumeConfiguration['managedEBSVolume']>): Shared => ({
  taskDefinition: 'volume',
  volumeConfigurations: [{ name: 'data', managedEBSVolume: { ...ebs, ...managedEBSVolume } }],
})

describe.each(Object.entries(operations))('%s', (_, run) => {
  test.each<[string, Shared, string]>([
    [
      'an inactive definition',
      { taskDefinition: 'old:1' },
      'InvalidParameterException: TaskDefinition is inactive',
    ],
    ['a group of 256 characters', { group: 'x'.repeat(256) }, `${invalid}group longer than 255.`],
    ['the group of a daemon', { group: 'daemon:x' }, `${invalid}Invalid namespace in group.`],
    ['startedBy with a space', { startedBy: 'a b' }, `${invalid}startedBy contains invalid characters.`],
    ['51 tags', { tags: many(51, 'key').map((key) => ({ key })) }, invalid],
    [
      'a definition for Fargate only',
      { ...network({}), taskDefinition: 'fargate' },
      `${invalid}Task definition does not support launch_type EC2.`,
    ],
    ['no subnets', network({ subnets: [] }), `${invalid}subnets can not be empty.`],
    ['17 subnets', network({ subnets: many(17, 'subnet') }), `${invalid}subnets can have at most 16 items.`],
    [
      '6 security groups',
      network({ securityGroups: many(6, 'sg') }),
      `${invalid}securityGroups can have at most 5 items.`,
    ],
    [
      'a public address',
      network({ assignPublicIp: 'ENABLED' }),
      `${invalid}Assign public IP is not supported for this launch type.`,
    ],
    [
      'awsvpc without a network',
      { taskDefinition: 'vpc' },
      `${invalid}Network Configuration must be provided when networkMode 'awsvpc' is specified.`,
    ],
    [
      'overrides that are long only all together',
      {
        overrides: {
          containerOverrides: [
            { name: 'app', command: ['x'.repeat(5000)] },
            { name: 'app', command: ['x'.repeat(5000)] },
          ],
        },
      },
      `${invalid}Container Overrides length must be at most 8192`,
    ],
    [
      'overrides of a stranger',
      { overrides: { containerOverrides: [{ name: 'x' }] } },
      `${invalid}Override for container named x is not a container in the TaskDefinition.`,
    ],
    [
      'overrides of nobody',
      { overrides: { containerOverrides: [{ command: ['x'] }] } },
      `${invalid}Container name must be specified in container overrides.`,
    ],
    [
      'less memory than is reserved',
      app({ memory: 50, memoryReservation: 60 }),
      `${invalid}Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.`,
    ],
    [
      'a reservation above the memory of the definition',
      app({ memoryReservation: 200 }),
      `${invalid}Invalid setting for container 'app'.`,
    ],
    [
      'more memory than the task has',
      { ...app({ memory: 512 }), taskDefinition: 'sized' },
      `${invalid}The 'memory' setting for container 'app' is greater than for the task.`,
    ],
    ['negative cpu', app({ cpu: -1 }), `${invalid}Invalid setting for container 'app'.`],
    [
      '11 environment files',
      app({ environmentFiles: many(11, 'arn:aws:s3:::b/f').map((value) => ({ type: 's3', value })) }),
      `${invalid}The maximum number of environment files was exceeded.`,
    ],
    [
      'an environment file that is no ARN',
      app({ environmentFiles: [{ type: 's3', value: 'file' }] }),
      `${invalid}Invalid arn syntax.`,
    ],
    [
      'an environment variable without a name',
      app({ environment: [{ value: 'x' }] }),
      `${invalid}Environment variable name should not be null or empty.`,
    ],
    [
      'accelerators',
      app({ resourceRequirements: [{ type: 'InferenceAccelerator', value: 'd' }] }),
      `${invalid}Resource requirements of type InferenceAccelerator are not supported.`,
    ],
    [
      'half a GPU',
      app({ resourceRequirements: [{ type: 'GPU', value: '0.5' }] }),
      `${invalid}Invalid 'resourceRequirements' setting for container 'app'.`,
    ],
    ['cpu of the task', { overrides: { cpu: '64' } }, `${invalid}Invalid 'cpu' setting for task.`],
    ['memory of the task', { overrides: { memory: '1 TB' } }, `${invalid}Invalid 'memory' setting for task.`],
    [
      'a role that is none',
      { overrides: { taskRoleArn: 'arn:aws:s3:::bucket' } },
      `${invalid}Role is not valid`,
    ],
    [
      'ephemeral storage',
      { overrides: { ephemeralStorage: { sizeInGiB: 30 } } },
      `${invalid}Ephemeral storage overrides are supported for the FARGATE launch type only.`,
    ],
    [
      'inference accelerators',
      { overrides: { inferenceAcceleratorOverrides: [{ deviceName: 'd' }] } },
      `${invalid}Elastic Inference accelerators are no longer available.`,
    ],
    [
      'exec without a task role',
      { enableExecuteCommand: true },
      `${invalid}The execute command failed because a valid task role is not being used. Specify a valid task role in your task definition or as a task override and try again.`,
    ],
    [
      'a volume that is not left to be configured',
      { ...volume({}), taskDefinition: 'web' },
      `${invalid}Volume configuration provided but no matching configuredAtLaunch volume found in task definition.`,
    ],
    [
      'a volume by another name',
      { ...volume({}), volumeConfigurations: [{ name: 'logs', managedEBSVolume: ebs }] },
      `${invalid}The volume name 'logs' in your request does not have a matching volume in your Task Definition that is configurable at launch.`,
    ],
    [
      'a volume that nobody configures',
      { taskDefinition: 'volume' },
      `${invalid}Task definition has configuredAtLaunch volume but no volume configuration provided at runtime`,
    ],
    ['a volume of an unknown type', volume({ volumeType: 'gp9' }), `${invalid}volumeType should be one of`],
    ['a volume without a role', volume({ roleArn: '' }), `${invalid}managedEBSVolume.roleArn`],
    ['a small st1', volume({ volumeType: 'st1' }), `${invalid}sizeInGiB of a st1 volume`],
    ['io2 without iops', volume({ volumeType: 'io2' }), `${invalid}iops must be specified`],
    ['iops of gp2', volume({ volumeType: 'gp2', iops: 100 }), `${invalid}iops is not supported`],
    ['throughput of io1', volume({ volumeType: 'io1', iops: 100, throughput: 1 }), `${invalid}throughput`],
    [
      'a volume of neither size nor snapshot',
      { ...volume({}), volumeConfigurations: [{ name: 'data', managedEBSVolume: { roleArn: 'r' } }] },
      `${invalid}You must specify either a volume size or a snapshot ID.`,
    ],
    [
      'volumes',
      volume({}),
      'UnsupportedFeatureException: Berth does not support volumes configured at launch yet.',
    ],
  ])('refuses %s', (__, input, message) => {
    expect(refusalOf(() => run(input)).slice(0, message.length)).toBe(message)
    expect(context.store.size('task')).toBe(0)
  })

  test('takes what is just within the limits', () => {
    const taskRoleArn = 'arn:aws:iam::000000000000:role/exec'
    const { tasks, failures } = run({
      group: 'x'.repeat(255),
      startedBy: 'aws-batch/Job_1',
      referenceId: 'r',
      enableExecuteCommand: true,
      propagateTags: 'NONE',
      overrides: { taskRoleArn, cpu: '0.125 vCPU', containerOverrides: [{}, { name: 'app', memory: 6 }] },
    })
    expect(failures).toEqual([])
    expect(tasks).toMatchObject([
      {
        startedBy: 'aws-batch/Job_1',
        cpu: '128',
        memory: '6',
        enableExecuteCommand: true,
        overrides: { taskRoleArn, cpu: '128', containerOverrides: [{ name: 'app', memory: 6 }] },
      },
    ])
  })

  test('an empty group or startedBy is none', () => {
    const { tasks: [task] = [] } = run({ group: '', startedBy: '' })
    expect(task).toMatchObject({ group: 'family:web', startedBy: undefined })
  })
})
