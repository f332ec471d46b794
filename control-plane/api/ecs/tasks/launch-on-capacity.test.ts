import type { CapacityProviderStrategyItem, RunTaskRequest } from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { createCapacityProvider } from '#api/ecs/capacity/capacity-provider.ts'
import { putClusterCapacityProviders } from '#api/ecs/capacity/cluster-capacity.ts'
import { runTask } from './run-task.ts'
import {
  putCluster,
  putContainerInstance,
  putSubnet,
  putTaskDefinition,
  refusalOf,
} from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'default')
  putSubnet(context, 'subnet-1')
  for (const name of ['on', 'spot', 'strange'])
    createCapacityProvider.run(context, {
      name,
      autoScalingGroupProvider: { autoScalingGroupArn: `group-of-${name}` },
    })
  associate()
  putTaskDefinition(context, 'web:1')
})

function associate(defaultCapacityProviderStrategy: CapacityProviderStrategyItem[] = []): void {
  putClusterCapacityProviders.run(context, {
    cluster: 'default',
    capacityProviders: ['on', 'spot', 'FARGATE', 'FARGATE_SPOT'],
    defaultCapacityProviderStrategy,
  })
}

function run(input: Partial<RunTaskRequest> = {}) {
  const { tasks = [], failures = [] } = runTask.run(context, { taskDefinition: 'web', ...input })
  return { tasks, failures, providers: tasks.map(({ capacityProviderName }) => capacityProviderName) }
}

function putInstance(capacityProviderName: string, more: Parameters<typeof putContainerInstance>[3] = {}) {
  return putContainerInstance(context, cluster, capacityProviderName, {
    capacityProviderName,
    memoryMiB: 4096,
    ...more,
  })
}

const halves = [
  { capacityProvider: 'on', weight: 1 },
  { capacityProvider: 'spot', weight: 1 },
]
const arnOf = (name: string): string => `arn:aws:ecs:us-east-1:000000000000:capacity-provider/${name}`

describe('a strategy', () => {
  test('shares the tasks of a call by base and weight, each on an instance of its provider', () => {
    const on = putInstance('on').containerInstanceArn
    const spot = putInstance('spot').containerInstanceArn
    const { tasks, failures, providers } = run({
      count: 9,
      capacityProviderStrategy: [
        { capacityProvider: arnOf('on'), base: 1, weight: 1 },
        { capacityProvider: 'spot', weight: 3 },
      ],
    })
    expect(failures).toEqual([])
    expect(providers.filter((name) => name === 'on')).toHaveLength(3)
    expect(providers.filter((name) => name === 'spot')).toHaveLength(6)
    for (const { capacityProviderName, containerInstanceArn, launchType } of tasks)
      expect([containerInstanceArn, launchType]).toEqual([capacityProviderName === 'on' ? on : spot, 'EC2'])
  })

  test('counts within a call only', () => {
    putInstance('on')
    putInstance('spot')
    expect(run({ capacityProviderStrategy: halves }).providers).toEqual(['on'])
    expect(run({ capacityProviderStrategy: halves }).providers).toEqual(['on'])
  })

  test('has no provider stand in for another that lacks room', () => {
    const { containerInstanceArn } = putInstance('on', { memoryMiB: 100 })
    putInstance('spot')
    const { providers, failures } = run({ count: 6, capacityProviderStrategy: halves })
    expect(providers).toEqual(['on', 'spot', 'spot', 'spot'])
    expect(failures).toEqual([{ arn: containerInstanceArn, reason: 'RESOURCE:MEMORY' }])
  })

  test.each([
    ['EMPTY CAPACITY PROVIDER', undefined],
    ['NO ACTIVE INSTANCES', 'DRAINING'],
    ['EMPTY CAPACITY PROVIDER', 'INACTIVE'],
  ] as const)('fails with %s where the instances of the provider are %s', (reason, status) => {
    putContainerInstance(context, cluster, 'alone')
    if (status !== undefined) putInstance('on', { status })
    expect(
      run({ count: 2, capacityProviderStrategy: [{ capacityProvider: 'on', weight: 1 }] }),
    ).toMatchObject({
      tasks: [],
      failures: [{ arn: arnOf('on'), reason }],
    })
  })

  test('of the cluster applies where the request names neither it nor a launch type', () => {
    associate([{ capacityProvider: 'spot', weight: 1 }])
    putInstance('on')
    putInstance('spot')
    putContainerInstance(context, cluster, 'alone')
    expect(run().providers).toEqual(['spot'])
    expect(run({ capacityProviderStrategy: [{ capacityProvider: 'on', weight: 1 }] }).providers).toEqual([
      'on',
    ])
    expect(run({ launchType: 'EC2' }).providers).toEqual([undefined])
  })

  const invalid = 'InvalidParameterException: '
  const noneAssociated = `${invalid}The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.`
  test.each<[string, CapacityProviderStrategyItem[], string]>([
    ['not of the cluster', [{ capacityProvider: 'strange', weight: 1 }], noneAssociated],
    ['not there', [{ capacityProvider: 'none', weight: 1 }], noneAssociated],
    [
      'of another Region',
      [{ capacityProvider: arnOf('on').replace('us-east-1', 'eu-west-1'), weight: 1 }],
      noneAssociated,
    ],
    [
      'without a weight',
      [{ capacityProvider: 'on' }, { capacityProvider: 'spot', weight: 0 }],
      `${invalid}There are no capacity providers in the capacity provider strategy with a weight value greater than zero. Specify a weight value greater than zero for at least one capacity provider and try again.`,
    ],
    [
      'with two bases',
      halves.map((item) => ({ ...item, base: 1 })),
      `${invalid}There are multiple capacity providers in the specified capacity provider strategy with a base value greater than zero. Only one capacity provider can have a base value greater than zero. Specify a valid capacity provider strategy and try again.`,
    ],
    [
      'of both kinds',
      [
        { capacityProvider: 'on', weight: 1 },
        { capacityProvider: 'FARGATE', weight: 1 },
      ],
      `${invalid}A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers. Specify one or the other and try again.`,
    ],
    ['with a great base', [{ capacityProvider: 'on', base: 100_001, weight: 1 }], invalid],
    ['with a great weight', [{ capacityProvider: 'on', weight: 1001 }], invalid],
    ['with a negative weight', [{ capacityProvider: 'on', weight: -1 }], invalid],
    [
      'that names one twice',
      [
        { capacityProvider: 'on', weight: 1 },
        { capacityProvider: arnOf('on'), weight: 1 },
      ],
      invalid,
    ],
    [
      'of 21',
      Array.from({ length: 21 }, (_, number) => ({ capacityProvider: `p${number}`, weight: 1 })),
      invalid,
    ],
  ])('is refused: %s', (_, capacityProviderStrategy, message) => {
    expect(refusalOf(() => run({ capacityProviderStrategy })).slice(0, message.length)).toBe(message)
  })

  test('does not go with a launch type, nor providers of instances with a platform version', () => {
    expect(refusalOf(() => run({ launchType: 'EC2', capacityProviderStrategy: halves }))).toBe(
      `${invalid}Specify either Launch Type or Capacity Provider Strategy, but not both.`,
    )
    expect(refusalOf(() => run({ capacityProviderStrategy: halves, platformVersion: 'LATEST' }))).toBe(
      `${invalid}The platform version must be null when specifying an EC2 launch type.`,
    )
  })

  test('without a weight at the cluster is refused when it is to be used, not when it is set', () => {
    associate([{ capacityProvider: 'on' }])
    expect(refusalOf(() => run())).toMatch(/^InvalidParameterException: There are no capacity providers/)
  })
})

describe('Fargate', () => {
  const networkConfiguration = {
    awsvpcConfiguration: { subnets: ['subnet-1'], assignPublicIp: 'ENABLED' as const },
  }
  const fargate = {
    networkMode: 'awsvpc',
    compatibilities: ['EC2', 'FARGATE'],
    cpu: '256',
    memory: '512',
  } as const
  const spot = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }]

  beforeEach(() => {
    putTaskDefinition(context, 'web:2', {}, fargate)
    putTaskDefinition(
      context,
      'windows:1',
      {},
      {
        ...fargate,
        cpu: '1024',
        memory: '2048',
        runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE', cpuArchitecture: 'X86_64' },
      },
    )
    putTaskDefinition(context, 'arm:1', {}, { ...fargate, runtimePlatform: { cpuArchitecture: 'ARM64' } })
    putTaskDefinition(
      context,
      'efs:1',
      {},
      {
        ...fargate,
        volumes: [{ name: 'data', efsVolumeConfiguration: { fileSystemId: 'fs-1' } }],
      },
    )
    putTaskDefinition(context, 'bridge:1')
    putTaskDefinition(context, 'ec2:1', {}, { networkMode: 'awsvpc' })
  })

  test.each<[string, Partial<RunTaskRequest>]>([
    ['by launch type', { launchType: 'FARGATE' }],
    ['by a strategy', { capacityProviderStrategy: spot }],
    ['of a platform version', { launchType: 'FARGATE', platformVersion: '1.3.0' }],
    ['with a legal size', { launchType: 'FARGATE', overrides: { cpu: '512', memory: '2 GB' } }],
    ['of Windows', { taskDefinition: 'windows', launchType: 'FARGATE', platformVersion: '1.0.0' }],
  ])('without capacity a good request fails for each task, %s', (_, input) => {
    expect(run({ networkConfiguration, count: 2, ...input })).toMatchObject({
      tasks: [],
      failures: [{ reason: 'RESOURCE:FARGATE' }, { reason: 'RESOURCE:FARGATE' }],
    })
  })

  test('is what a default strategy of it means', () => {
    associate([{ capacityProvider: 'FARGATE', weight: 1 }])
    expect(run({ networkConfiguration }).failures).toMatchObject([{ reason: 'RESOURCE:FARGATE' }])
  })

  describe('with capacity', () => {
    const fargateLimits = { cpu: 1024, memoryMiB: 1536, cpuArchitecture: 'x86_64' } as const
    beforeEach(() => {
      context = { ...context, installation: { ...context.installation, fargate: fargateLimits } }
    })

    test('starts as many tasks as there is room for, each to wait for a host that nobody sees', () => {
      const { tasks, failures } = run({ launchType: 'FARGATE', count: 4, networkConfiguration })
      expect(tasks).toHaveLength(3)
      expect(failures).toMatchObject([{ reason: 'RESOURCE:FARGATE' }])
      expect(tasks[0]).toMatchObject({
        launchType: 'FARGATE',
        lastStatus: 'PROVISIONING',
        platformVersion: '1.4.0',
        platformFamily: 'Linux',
        ephemeralStorage: { sizeInGiB: 20 },
        cpu: '256',
        memory: '512',
      })
      expect(tasks[0]?.containerInstanceArn).toBeUndefined()
    })

    test('keeps the platform version that was asked for', () => {
      const { tasks } = run({ launchType: 'FARGATE', platformVersion: '1.3.0', networkConfiguration })
      expect(tasks[0]?.platformVersion).toBe('1.3.0')
    })

    test('shares tasks among its providers, and Spot tasks are no obstacle to others', () => {
      expect(run({ capacityProviderStrategy: spot, count: 4, networkConfiguration }).providers).toEqual([
        'FARGATE_SPOT',
        'FARGATE_SPOT',
        'FARGATE_SPOT',
      ])
      expect(run({ launchType: 'FARGATE', count: 4, networkConfiguration }).tasks).toHaveLength(3)
      expect(run({ capacityProviderStrategy: spot, networkConfiguration }).tasks).toEqual([])
    })

    test.each([
      ['of another architecture', { taskDefinition: 'arm' }],
      ['of Windows', { taskDefinition: 'windows', platformVersion: '1.0.0' }],
      ['larger than this machine', { overrides: { cpu: '4096', memory: '30 GB' } }],
    ])('has none for tasks %s', (_, input) => {
      expect(run({ launchType: 'FARGATE', networkConfiguration, ...input }).failures).toMatchObject([
        { reason: 'RESOURCE:FARGATE' },
      ])
    })
  })

  const invalid = 'InvalidParameterException: '
  const incompatible =
    'PlatformTaskDefinitionIncompatibilityException: One or more of the requested capabilities are not supported.'
  test.each<[string, Partial<RunTaskRequest>, string]>([
    [
      'an unknown platform',
      { platformVersion: '2.0' },
      'PlatformUnknownException: The specified platform does not exist.',
    ],
    [
      'a platform that Windows has not',
      { taskDefinition: 'windows', platformVersion: '1.4.0' },
      incompatible,
    ],
    ['ARM on an old platform', { taskDefinition: 'arm', platformVersion: '1.3.0' }, incompatible],
    ['EFS on an old platform', { taskDefinition: 'efs', platformVersion: '1.3.0' }, incompatible],
    [
      'more storage on an old platform',
      { overrides: { ephemeralStorage: { sizeInGiB: 50 } }, platformVersion: '1.3.0' },
      incompatible,
    ],
    [
      'Spot on an old platform',
      { launchType: undefined, capacityProviderStrategy: spot, platformVersion: '1.2.0' },
      incompatible,
    ],
    [
      'Spot for Windows',
      { launchType: undefined, capacityProviderStrategy: spot, taskDefinition: 'windows' },
      incompatible,
    ],
    [
      'no network',
      { networkConfiguration: undefined },
      `${invalid}Network Configuration must be provided when networkMode 'awsvpc' is specified.`,
    ],
    [
      'another network mode',
      { taskDefinition: 'bridge', networkConfiguration: undefined },
      `${invalid}Task definition does not support launch_type FARGATE.`,
    ],
    [
      'a definition for instances',
      { taskDefinition: 'ec2' },
      `${invalid}Task definition does not support launch_type FARGATE.`,
    ],
    [
      'a definition for instances on Spot',
      { taskDefinition: 'ec2', launchType: undefined, capacityProviderStrategy: spot },
      `${invalid}Task definition does not support launch_type FARGATE.`,
    ],
    [
      'constraints',
      { placementConstraints: [{ type: 'distinctInstance' }] },
      `${invalid}Placement constraints are not supported with FARGATE launch type.`,
    ],
    [
      'strategies',
      { placementStrategy: [{ type: 'random' }] },
      `${invalid}Placement strategies are not supported with FARGATE launch type.`,
    ],
    [
      'no Fargate size',
      { overrides: { cpu: '256', memory: '4096' } },
      `${invalid}No Fargate configuration exists for given values: 256 CPU, 4096 memory.`,
    ],
  ])('is refused with %s', (_, input, message) => {
    expect(
      refusalOf(() => run({ launchType: 'FARGATE', networkConfiguration, ...input })).slice(
        0,
        message.length,
      ),
    ).toBe(message)
  })
})
