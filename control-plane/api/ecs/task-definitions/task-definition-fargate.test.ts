/** What RegisterTaskDefinition takes of a definition for Fargate, and what of one for the other launch types. */
import type { RegisterTaskDefinitionRequest, TaskDefinition } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { app, fargate, minimal, onFargate, role, withApp, withVolume } from './task-definition-testing.ts'
import { registerTaskDefinition } from './task-definition.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

type Input = RegisterTaskDefinitionRequest

const ecrImage = '123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1'
const awslogs = (options: Record<string, string> = {}) => ({
  logConfiguration: {
    logDriver: 'awslogs' as const,
    options: { 'awslogs-group': 'g', 'awslogs-region': 'r', ...options },
  },
})
const prefixed = awslogs({ 'awslogs-stream-prefix': 'p' })
const onWindows = { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } as const
const router = (options: Record<string, string>): Input => ({
  ...fargate,
  containerDefinitions: [
    { ...app, logConfiguration: { logDriver: 'awsfirelens' } },
    { ...app, name: 'router', firelensConfiguration: { type: 'fluentbit', options } },
  ],
})
const noConfiguration = (cpu: string, memory: string): string =>
  `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`
const unsupported = (what: string): string => `Fargate compatible task definitions do not support ${what}`
const withoutRole = 'Fargate requires task definition to have execution role ARN to support'

async function register(input: Input): Promise<TaskDefinition> {
  const { taskDefinition } = registerTaskDefinition.run(await testContext(), input)
  if (!taskDefinition) throw new Error('no task definition')
  return taskDefinition
}

describe('for Fargate', () => {
  test.each<[message: string, input: Input]>([
    ["Fargate requires that 'cpu' be defined at the task level.", { ...fargate, cpu: undefined }],
    ["Fargate requires that 'memory' be defined at the task level.", { ...fargate, memory: undefined }],
    ['Fargate only supports network mode ‘awsvpc’.', { ...fargate, networkMode: 'bridge' }],
    ['Fargate only supports network mode ‘awsvpc’.', { ...fargate, networkMode: undefined }],
    [noConfiguration('1024', '1024'), { ...fargate, cpu: '1024', memory: '1024' }],
    [noConfiguration('512', '2048'), { ...fargate, cpu: '512', memory: '2048', runtimePlatform: onWindows }],
    [
      noConfiguration('1024', '2048'),
      {
        ...fargate,
        cpu: '1 vCPU',
        memory: '2 GB',
        runtimePlatform: { ...onWindows, cpuArchitecture: 'ARM64' },
      },
    ],
    [`${withoutRole} ECR images.`, onFargate({ image: ecrImage })],
    [`${withoutRole} log driver awslogs.`, onFargate(prefixed)],
    [
      'Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.',
      onFargate(awslogs(), { executionRoleArn: role }),
    ],
    [
      'json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]',
      onFargate({ logConfiguration: { logDriver: 'json-file' } }),
    ],
    [
      "Fargate launch type does not support FirelensConfiguration config file from 's3'",
      router({ 'config-file-type': 's3', 'config-file-value': 'arn:aws:s3:::bucket/fluent.conf' }),
    ],
    [unsupported('devices'), onFargate({ linuxParameters: { devices: [{ hostPath: '/dev/fuse' }] } })],
    [unsupported('maxSwap'), onFargate({ linuxParameters: { maxSwap: 0 } })],
    [unsupported('sharedMemorySize'), onFargate({ linuxParameters: { sharedMemorySize: 64 } })],
    [unsupported('dockerSecurityOptions'), onFargate({ dockerSecurityOptions: ['no-new-privileges'] })],
    [unsupported('dockerVolumeConfiguration'), withVolume({ dockerVolumeConfiguration: {} }, fargate)],
    [unsupported('sourcePath'), withVolume({ host: { sourcePath: '/x' } }, fargate)],
    [
      unsupported('constraints'),
      { ...fargate, placementConstraints: [{ type: 'memberOf', expression: 'attribute:a exists' }] },
    ],
    [
      'NET_ADMIN is not allowed on Fargate.',
      onFargate({ linuxParameters: { capabilities: { add: ['NET_ADMIN'] } } }),
    ],
    [
      'Fargate requires that the ‘privileged’ setting be ‘false’ at the container level.',
      onFargate({ privileged: true }),
    ],
    [
      'Tasks using the Fargate launch type do not support GPU resource requirements.',
      onFargate({ resourceRequirements: [{ type: 'GPU', value: '1' }] }),
    ],
    ['Tasks using the Fargate launch type do not support ipcMode.', { ...fargate, ipcMode: 'task' }],
    [
      "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
      { ...fargate, pidMode: 'host' },
    ],
    [
      'Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.',
      onFargate({ stopTimeout: 121 }),
    ],
    ['EphemeralStorage size should be at least 21', { ...fargate, ephemeralStorage: { sizeInGiB: 20 } }],
    ['EphemeralStorage size should be at most 200', { ...fargate, ephemeralStorage: { sizeInGiB: 201 } }],
  ])('refuses with: %s', async (message, input) => {
    const context = await testContext()
    expect(refusalOf(() => registerTaskDefinition.run(context, input))).toBe(`ClientException: ${message}`)
    expect(context.store.size('taskDefinition')).toBe(0)
  })

  test.each<[what: string, input: Input]>([
    ['a stop timeout of 120 seconds', onFargate({ stopTimeout: 120 })],
    ['the capability SYS_PTRACE', onFargate({ linuxParameters: { capabilities: { add: ['SYS_PTRACE'] } } })],
    ['capabilities that are dropped', onFargate({ linuxParameters: { capabilities: { drop: ['ALL'] } } })],
    ['the process namespace of the task', { ...fargate, pidMode: 'task' }],
    [
      'a router with a file of its image',
      router({ 'config-file-type': 'file', 'config-file-value': '/f.conf' }),
    ],
    ['more storage', { ...fargate, ephemeralStorage: { sizeInGiB: 21 } }],
    ['images and logs with a role', onFargate({ ...prefixed, image: ecrImage }, { executionRoleArn: role })],
  ])('takes %s', async (_, input) => {
    expect((await register(input)).compatibilities).toContain('FARGATE')
  })

  test.each<[cpu: string, valid: readonly number[], invalid: readonly number[]]>([
    ['256', [512, 1024, 2048], [256, 1536, 3072]],
    ['512', [1024, 2048, 3072, 4096], [512, 717, 5120]],
    ['1024', [2048, 5120, 8192], [1024, 2560, 9216]],
    ['2048', [4096, 5120, 16_384], [3072, 17_408]],
    ['4096', [8192, 9216, 30_720], [7168, 31_744]],
    ['8192', [16_384, 20_480, 61_440], [17_408, 65_536]],
    ['16384', [32_768, 40_960, 122_880], [36_864, 131_072]],
    ['128', [], [512]],
  ])('the sizes of %s CPU units are %j and the like, not %j', async (cpu, valid, invalid) => {
    const compatible = async (memory: number): Promise<boolean | undefined> => {
      const input = { ...fargate, requiresCompatibilities: undefined, cpu, memory: String(memory) }
      return (await register(input)).compatibilities?.includes('FARGATE')
    }
    for (const memory of valid) expect([memory, await compatible(memory)]).toEqual([memory, true])
    for (const memory of invalid) expect([memory, await compatible(memory)]).toEqual([memory, false])
  })
})

const awsvpc = { networkMode: 'awsvpc', cpu: '256', memory: '512' } as const

describe('compatibilities', () => {
  test.each<[what: string, compatibilities: readonly string[], input: Input]>([
    ['a minimal definition', ['EC2', 'EXTERNAL'], minimal],
    ['bridge', ['EC2', 'EXTERNAL'], { ...minimal, networkMode: 'bridge' }],
    ['none', ['EC2', 'EXTERNAL'], { ...minimal, networkMode: 'none' }],
    ['host', ['EC2', 'EXTERNAL', 'MANAGED_INSTANCES'], { ...minimal, networkMode: 'host' }],
    ['awsvpc of a size of Fargate', ['EC2', 'FARGATE', 'MANAGED_INSTANCES'], { ...minimal, ...awsvpc }],
    [
      'awsvpc of another size',
      ['EC2', 'MANAGED_INSTANCES'],
      { ...minimal, ...awsvpc, cpu: '512', memory: '717' },
    ],
    ['awsvpc without a size', ['EC2', 'MANAGED_INSTANCES'], { ...minimal, networkMode: 'awsvpc' }],
    [
      'whatever is required of one of them',
      ['EC2', 'EXTERNAL'],
      { ...minimal, requiresCompatibilities: ['EC2'] },
    ],
    ['a long stop timeout', ['EC2', 'MANAGED_INSTANCES'], withApp({ stopTimeout: 600 }, awsvpc)],
    ['a named port in bridge mode', ['EC2'], withApp({ portMappings: [{ containerPort: 80, name: 'web' }] })],
    ['EFS', ['EC2'], withVolume({ efsVolumeConfiguration: { fileSystemId: 'fs-1' } })],
    [
      'a Docker volume',
      ['EC2', 'EXTERNAL'],
      withVolume({ dockerVolumeConfiguration: {} }, { networkMode: 'host' }),
    ],
    [
      'a log driver of EC2',
      ['EC2', 'EXTERNAL'],
      withApp({ logConfiguration: { logDriver: 'syslog' } }, { networkMode: 'host' }),
    ],
    ['Windows', ['EC2', 'EXTERNAL'], { ...minimal, networkMode: 'host', runtimePlatform: onWindows }],
    [
      'ephemeral storage',
      ['FARGATE', 'MANAGED_INSTANCES'],
      { ...minimal, ...awsvpc, ephemeralStorage: { sizeInGiB: 30 } },
    ],
    [
      'Neuron devices',
      ['MANAGED_INSTANCES'],
      withApp({ resourceRequirements: [{ type: 'NeuronDevice', value: 'ALL' }] }, awsvpc),
    ],
  ])('of %s are %j', async (_, compatibilities, input) => {
    expect((await register(input)).compatibilities?.toSorted()).toEqual(compatibilities)
  })

  test.each<[message: string, input: Input]>([
    [
      'Tasks using the EC2 launch type do not support EphemeralStorage.',
      { ...minimal, requiresCompatibilities: ['EC2'], ephemeralStorage: { sizeInGiB: 30 } },
    ],
    [
      "Tasks using the EXTERNAL launch type do not support networkMode 'awsvpc'.",
      { ...minimal, ...awsvpc, requiresCompatibilities: ['EXTERNAL'] },
    ],
    [
      "Tasks using Managed Instances do not support networkMode 'bridge'.",
      { ...minimal, requiresCompatibilities: ['EC2', 'MANAGED_INSTANCES'] },
    ],
  ])('that are required and cannot be are refused: %s', async (message, input) => {
    const context = await testContext()
    expect(refusalOf(() => registerTaskDefinition.run(context, input))).toBe(`ClientException: ${message}`)
  })
})
