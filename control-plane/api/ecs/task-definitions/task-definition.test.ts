import type { PortMapping, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { runTask } from '#api/ecs/tasks/run-task.ts'
import {
  deleteTaskDefinitions,
  deregisterTaskDefinition,
  describeTaskDefinition,
  registerTaskDefinition,
} from './task-definition.ts'
import { app, fargate, minimal, onFargate, role, two, withApp } from './task-definition-testing.ts'
import { putCluster, putContainerInstance, refusalOf } from '#api/ecs/testing-rows.ts'

const ports = (...portMappings: PortMapping[]) => withApp({ portMappings })
const awsvpc = { networkMode: 'awsvpc' } as const
const healthCheck = { command: ['CMD', 'true'] }
const bucketFile = { type: 's3', value: 'arn:aws:s3:::bucket/a.env' } as const

async function register(input: RegisterTaskDefinitionRequest) {
  const answer = registerTaskDefinition.run(await testContext(), input).taskDefinition
  if (!answer) throw new Error('no task definition')
  return answer
}

describe('registering', () => {
  test('fills in what AWS fills in and leaves the rest absent', async () => {
    const shown = await register(
      withApp({ portMappings: [{ containerPort: 80 }], links: [], dockerLabels: {} }),
    )
    expect(shown).toEqual({
      taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/f:1',
      containerDefinitions: [
        {
          ...app,
          cpu: 0,
          links: [],
          dockerLabels: {},
          portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }],
          essential: true,
          environment: [],
          mountPoints: [],
          volumesFrom: [],
          systemControls: [],
        },
      ],
      family: 'f',
      revision: 1,
      volumes: [],
      status: 'ACTIVE',
      requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' }],
      placementConstraints: [],
      compatibilities: ['EXTERNAL', 'EC2'],
      registeredAt: new Date(Date.UTC(2026, 0, 1)),
      registeredBy: 'arn:aws:iam::000000000000:root',
      enableFaultInjection: false,
    })
  })

  test.each<[protocol: string | undefined, shown: string]>([
    [undefined, 'tcp'],
    ['udp', 'udp'],
    ['http', 'tcp'],
  ])('takes every protocol but UDP for TCP: %s', async (protocol, shown) => {
    const mapping = { containerPort: 80, protocol: protocol as 'tcp' | undefined }
    const { containerDefinitions } = await register(ports(mapping))
    expect(containerDefinitions?.[0]?.portMappings).toEqual([
      { containerPort: 80, hostPort: 0, protocol: shown },
    ])
  })

  test.each<[networkMode: 'awsvpc' | 'host' | undefined, hostPort: number]>([
    ['awsvpc', 80],
    ['host', 80],
    [undefined, 0],
  ])('fills in the host port in network mode %s', async (networkMode, hostPort) => {
    const { containerDefinitions } = await register({ ...ports({ containerPort: 80 }), networkMode })
    expect(containerDefinitions?.[0]?.portMappings?.[0]).toMatchObject({ hostPort })
  })

  test('shows a volume without a kind as one of the host, and the root of EFS', async () => {
    const volumes = [
      { name: 'plain' },
      { name: 'said', configuredAtLaunch: false },
      { name: 'efs', efsVolumeConfiguration: { fileSystemId: 'fs-1' } },
    ]
    expect((await register({ ...minimal, volumes })).volumes).toEqual([
      { name: 'plain', host: {} },
      { name: 'said', configuredAtLaunch: false, host: {} },
      { name: 'efs', efsVolumeConfiguration: { fileSystemId: 'fs-1', rootDirectory: '/' } },
    ])
  })

  test.each([
    ['.25 vCPU', '0.5 GB', '256', '512'],
    ['1 vcpu', '2gb', '1024', '2048'],
    ['512', '1024', '512', '1024'],
  ])('stores the sizes %s and %s as units and MiB', async (cpu, memory, units, mebibytes) => {
    expect(await register({ ...fargate, cpu, memory })).toMatchObject({ cpu: units, memory: mebibytes })
  })

  test('gives each revision a number that was never used', async () => {
    const context = await testContext()
    const run = () => registerTaskDefinition.run(context, minimal).taskDefinition?.revision
    expect([run(), run()]).toEqual([1, 2])
    deregisterTaskDefinition.run(context, { taskDefinition: 'f:2' })
    expect(deleteTaskDefinitions.run(context, { taskDefinitions: ['f:2'] })).toMatchObject({
      taskDefinitions: [{ revision: 2, status: 'DELETE_IN_PROGRESS' }],
      failures: [],
    })
    expect(run()).toBe(3)
    expect(describeTaskDefinition.run(context, { taskDefinition: 'f' }).taskDefinition?.revision).toBe(3)
  })

  test('names exactly the agent capabilities that the definition makes use of', async () => {
    const shown = await register(
      onFargate(
        {
          image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1',
          logConfiguration: {
            logDriver: 'awslogs',
            options: { 'awslogs-group': 'g', 'awslogs-region': 'r', 'awslogs-stream-prefix': 'p' },
          },
        },
        { executionRoleArn: role, taskRoleArn: role },
      ),
    )
    expect(shown.requiresAttributes?.map(({ name }) => name).toSorted()).toEqual([
      'com.amazonaws.ecs.capability.docker-remote-api.1.18',
      'com.amazonaws.ecs.capability.docker-remote-api.1.19',
      'com.amazonaws.ecs.capability.ecr-auth',
      'com.amazonaws.ecs.capability.logging-driver.awslogs',
      'com.amazonaws.ecs.capability.task-iam-role',
      'ecs.capability.execution-role-awslogs',
      'ecs.capability.execution-role-ecr-pull',
      'ecs.capability.task-eni',
    ])
    expect(shown.compatibilities?.toSorted()).toEqual(['EC2', 'FARGATE', 'MANAGED_INSTANCES'])
  })

  test('fills in a health check and asks for the Docker API it takes', async () => {
    const plain = await register(withApp({ healthCheck: { command: ['CMD', 'true'] } }))
    expect(plain.containerDefinitions?.[0]?.healthCheck).toEqual({
      command: ['CMD', 'true'],
      interval: 30,
      timeout: 5,
      retries: 3,
    })
    const version = 'com.amazonaws.ecs.capability.docker-remote-api'
    expect(plain.requiresAttributes).toContainEqual({ name: `${version}.1.24` })
    const late = await register(withApp({ healthCheck: { command: ['CMD', 'true'], startPeriod: 10 } }))
    expect(late.requiresAttributes).toContainEqual({ name: `${version}.1.29` })
    expect(late.requiresAttributes).not.toContainEqual({ name: `${version}.1.24` })
  })
})

test.each<[what: string, input: RegisterTaskDefinitionRequest]>([
  [
    'ten containers',
    { ...minimal, containerDefinitions: Array.from({ length: 10 }, (_, at) => ({ ...app, name: `c${at}` })) },
  ],
  [
    'no container memory under task memory',
    { family: 'f', memory: '128', containerDefinitions: [{ name: 'a', image: 'b' }] },
  ],
  [
    'containers that together have more memory than the task',
    two({ memory: 100 }, { memory: 100 }, { memory: '128' }),
  ],
  ['a reservation of all the memory', withApp({ memoryReservation: 64 })],
  ['other host ports in bridge mode', ports({ containerPort: 80, hostPort: 8080 })],
  [
    'one port for TCP and for UDP',
    { ...ports({ containerPort: 53 }, { containerPort: 53, protocol: 'udp' }), ...awsvpc },
  ],
  ['a wide range of ports', ports({ containerPortRange: '1000-9000' })],
  ['links in a row', two({ links: ['b:db'] })],
  [
    'a dependency that is checked',
    two({ dependsOn: [{ containerName: 'b', condition: 'HEALTHY' }] }, { healthCheck }),
  ],
  [
    'a dependency that ends',
    two({ dependsOn: [{ containerName: 'b', condition: 'SUCCESS' }] }, { essential: false }),
  ],
  ['ten environment files', withApp({ environmentFiles: Array(10).fill(bucketFile) })],
  [
    'a parameter by its name',
    withApp({ secrets: [{ name: 'S', valueFrom: '/app/db-password' }] }, { executionRoleArn: role }),
  ],
  ['no limit at all', withApp({ ulimits: [{ name: 'memlock', softLimit: -1, hardLimit: -1 }] })],
  ['a role by its name', { ...minimal, taskRoleArn: 'run' }],
  [
    'two variables of one name',
    withApp({
      environment: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    }),
  ],
])('takes %s', async (_, input) => {
  const context = await testContext()
  expect(refusalOf(() => registerTaskDefinition.run(context, input))).toBe('nothing')
})

describe('the life of a revision', () => {
  test('goes to INACTIVE, where it stays describable by its number only', async () => {
    const context = await testContext()
    registerTaskDefinition.run(context, minimal)
    deregisterTaskDefinition.run(context, { taskDefinition: 'f:1' })
    const again = deregisterTaskDefinition.run(context, { taskDefinition: 'f:1' })
    expect(again.taskDefinition).toMatchObject({
      status: 'INACTIVE',
      deregisteredAt: new Date(context.clock.now()),
    })
    expect(() => describeTaskDefinition.run(context, { taskDefinition: 'f' })).toThrow(
      expect.objectContaining({ code: 'ClientException', message: 'Unable to describe task definition.' }),
    )
    expect(describeTaskDefinition.run(context, { taskDefinition: 'f:1' }).taskDefinition?.status).toBe(
      'INACTIVE',
    )
  })

  test.each([
    ['f', 'ClientException', 'Revision is missing.'],
    ['f:foo', 'InvalidParameterException', 'Invalid revision number. Number: foo'],
    ['f:7', 'ClientException', 'Unable to describe task definition.'],
    ['f:1:2', 'InvalidParameterException', 'Invalid revision number. Number: 1:2'],
    ['', 'InvalidParameterException', 'TaskDefinition can not be blank.'],
    [
      'arn:aws:ecs:us-east-1:000000000000:cluster/f:1',
      'InvalidParameterException',
      'Unsupported resource type: cluster',
    ],
    [
      'arn:aws:ecs:eu-west-1:000000000000:task-definition/f:1',
      'ClientException',
      'Unable to describe task definition.',
    ],
  ])('cannot be ended by the reference %s', async (taskDefinition, code, message) => {
    const context = await testContext()
    registerTaskDefinition.run(context, minimal)
    expect(() => deregisterTaskDefinition.run(context, { taskDefinition })).toThrow(
      expect.objectContaining({ code, message }),
    )
  })

  test('is deleted only when INACTIVE, each failure with its reason', async () => {
    const context = await testContext()
    const { taskDefinition } = registerTaskDefinition.run(context, minimal)
    const { failures } = deleteTaskDefinitions.run(context, { taskDefinitions: ['f:1', 'g:1', 'g'] })
    expect(failures).toEqual([
      {
        arn: taskDefinition?.taskDefinitionArn,
        reason:
          'The specified task definition is still in ACTIVE status. Please deregister the target and try again.',
      },
      {
        arn: 'g:1',
        reason:
          'The specified task definition does not exist. Specify a valid account, family, revision and try again.',
      },
      {
        arn: 'g',
        reason:
          'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.',
      },
    ])
    const refused = (count: number): string =>
      refusalOf(() =>
        deleteTaskDefinitions.run(context, { taskDefinitions: Array<string>(count).fill('f:1') }),
      )
    expect(refused(0)).toBe(
      'InvalidParameterException: size of TaskDefinition references list must be greater than 0',
    )
    expect(refused(11)).toBe(
      'InvalidParameterException: Size of TaskDefinition references list cannot exceed 10',
    )
  })

  test('that is not ACTIVE any more starts no tasks', async () => {
    const context = await testContext()
    putContainerInstance(context, putCluster(context, 'default'), 'a'.repeat(32))
    registerTaskDefinition.run(context, minimal)
    const run = (): string => refusalOf(() => runTask.run(context, { taskDefinition: 'f:1' }))
    expect(run()).toBe('nothing')
    deregisterTaskDefinition.run(context, { taskDefinition: 'f:1' })
    expect(run()).toBe('InvalidParameterException: TaskDefinition is inactive')
    deleteTaskDefinitions.run(context, { taskDefinitions: ['f:1'] })
    expect(run()).toBe('InvalidParameterException: TaskDefinition is inactive')
  })

  test('needs what its tasks need: an instance without a capability gets none', async () => {
    const context = await testContext()
    putContainerInstance(context, putCluster(context, 'default'), 'a'.repeat(32))
    registerTaskDefinition.run(context, withApp({ restartPolicy: { enabled: true } }))
    expect(runTask.run(context, { taskDefinition: 'f' }).failures).toMatchObject([{ reason: 'ATTRIBUTE' }])
  })
})
