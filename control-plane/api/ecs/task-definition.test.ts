import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { listTaskDefinitionFamilies, listTaskDefinitions } from './task-definition-list.ts'
import {
  deleteTaskDefinitions,
  deregisterTaskDefinition,
  describeTaskDefinition,
  registerTaskDefinition,
} from './task-definition.ts'

const app: ContainerDefinition = { name: 'app', image: 'busybox:1', memory: 64 }
const minimal: RegisterTaskDefinitionRequest = { family: 'f', containerDefinitions: [app] }
const role = 'arn:aws:iam::000000000000:role/run'
const fargate: RegisterTaskDefinitionRequest = {
  ...minimal,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
}
const withApp = (
  more: Partial<ContainerDefinition>,
  rest: Partial<RegisterTaskDefinitionRequest> = {},
): RegisterTaskDefinitionRequest => ({ ...minimal, ...rest, containerDefinitions: [{ ...app, ...more }] })
const onFargate = (
  more: Partial<ContainerDefinition>,
  rest: Partial<RegisterTaskDefinitionRequest> = {},
): RegisterTaskDefinitionRequest => withApp(more, { ...fargate, ...rest, family: 'f' })

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
      compatibilities: ['EC2', 'EXTERNAL'],
      registeredAt: new Date(Date.UTC(2026, 0, 1)),
      registeredBy: 'arn:aws:iam::000000000000:root',
      enableFaultInjection: false,
    })
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

  test('takes what is just within the bounds', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `app${index}`)
    await register({ ...minimal, containerDefinitions: names.map((name) => ({ ...app, name })) })
    expect((await register(onFargate({ stopTimeout: 120 }))).compatibilities).toContain('FARGATE')
    const slow = await register(onFargate({ stopTimeout: 600 }, { requiresCompatibilities: ['EC2'] }))
    expect(slow.compatibilities).not.toContain('FARGATE')
    await register({ ...minimal, memory: '128', containerDefinitions: [{ name: 'app', image: 'busybox' }] })
    await register(withApp({ portMappings: [{ containerPort: 80, hostPort: 8080 }] }))
    await register(withApp({ memory: 64, memoryReservation: 64 }))
  })
})

const secret = { name: 'S', valueFrom: 'arn:aws:ssm:us-east-1:000000000000:parameter/s' }
const ports = [{ containerPort: 80, hostPort: 8080 }]
const efs = (efsVolumeConfiguration: object): Partial<RegisterTaskDefinitionRequest> => ({
  volumes: [{ name: 'v', efsVolumeConfiguration: { fileSystemId: 'fs-1', ...efsVolumeConfiguration } }],
})

describe('refusing', () => {
  test.each<[message: string, input: RegisterTaskDefinitionRequest]>([
    ['Container list cannot be empty.', { ...minimal, containerDefinitions: [] }],
    ['Too many containers.', { ...minimal, containerDefinitions: Array(11).fill(app) }],
    ['Container.image should not be null or empty.', withApp({ image: '' })],
    ['Container.image contains invalid characters.', withApp({ image: 'busybox ' })],
    ['Container.name should not be null or empty.', withApp({ name: '' })],
    [
      'Container names must be unique within a task definition',
      { ...minimal, containerDefinitions: [app, app] },
    ],
    ["Task definition doesn't have any essential container.", withApp({ essential: false })],
    [
      "Invalid setting for container 'x'. At least one of 'memory' or 'memoryReservation' must be specified.",
      { ...minimal, containerDefinitions: [{ name: 'x', image: 'busybox' }] },
    ],
    [
      "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
      withApp({ memoryReservation: 65 }),
    ],
    ["The 'memory' setting for container 'app' is greater than for the task.", { ...minimal, memory: '32' }],
    [
      "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
      withApp({ cpu: 257 }, { cpu: '256' }),
    ],
    ["Invalid 'cpu' setting for task.", { ...minimal, cpu: 'much' }],
    ["Invalid 'cpu' setting for task.", { ...minimal, cpu: '' }],
    [
      'MOON is not a valid launch type. Must be one of [EC2,EXTERNAL,FARGATE,MANAGED_INSTANCES]',
      { ...minimal, requiresCompatibilities: ['MOON' as 'EC2'] },
    ],
    ["Invalid 'memory' setting for task.", { ...minimal, memory: '1 TB' }],
    [
      'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
      withApp({ portMappings: ports }, { networkMode: 'awsvpc' }),
    ],
    [
      'When networkMode=host, the host ports and container ports in port mappings must match.',
      withApp({ portMappings: ports }, { networkMode: 'host' }),
    ],
    [
      "TCP container port '8085' is used multiple times in task when networkMode=awsvpc.",
      withApp(
        { portMappings: [{ containerPort: 8085 }, { containerPort: 8085 }] },
        { networkMode: 'awsvpc' },
      ),
    ],
    [
      "Invalid 'containerPortRange' setting for container 'app'.",
      withApp({ portMappings: [{ containerPortRange: '20-10' }] }),
    ],
    [
      'Links are not supported when networkMode=awsvpc.',
      withApp({ links: ['a'] }, { networkMode: 'awsvpc' }),
    ],
    [
      "Cannot depend on container + 'nope' because it does not exist",
      withApp({ dependsOn: [{ containerName: 'nope', condition: 'START' }] }),
    ],
    [
      'A dependency container with HEALTHY condition must have health check configured',
      {
        ...minimal,
        containerDefinitions: [
          { ...app, dependsOn: [{ containerName: 'b', condition: 'HEALTHY' }] },
          { ...app, name: 'b' },
        ],
      },
    ],
    [
      'Container dependencies form a cycle: app, b',
      {
        ...minimal,
        containerDefinitions: [
          { ...app, dependsOn: [{ containerName: 'b', condition: 'START' }] },
          { ...app, name: 'b', dependsOn: [{ containerName: 'app', condition: 'START' }] },
        ],
      },
    ],
    [
      "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
      withApp({ secrets: [secret] }),
    ],
    [
      "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'S'.",
      withApp({ secrets: [secret], environment: [{ name: 'S', value: '1' }] }, { executionRoleArn: role }),
    ],
    [
      'The Systems Manager parameter ARN has a different account ID than the current account. The current account ID is 000000000000 and the ARN account ID is 111111111111. Cross-account access for ARNs is not currently supported.',
      withApp({ secrets: [{ name: 'S', valueFrom: 'arn:aws:ssm:us-east-1:111111111111:parameter/s' }] }),
    ],
    ["Unknown volume 'nope'.", withApp({ mountPoints: [{ sourceVolume: 'nope', containerPath: '/x' }] })],
    [
      "Invalid 'volumesFrom' setting. Unknown container: 'x'",
      withApp({ volumesFrom: [{ sourceContainer: 'x' }] }),
    ],
    [
      'host.sourcePath should not be blank.',
      { ...minimal, volumes: [{ name: 'v', host: { sourcePath: '' } }] },
    ],
    [
      'When using an EFS access point, the root directory must either be set to "/" or be omitted.',
      { ...minimal, ...efs({ rootDirectory: '/data', authorizationConfig: { accessPointId: 'fsap-1' } }) },
    ],
    [
      'EFS IAM authorization requires TransitEncryption to be enabled.',
      { ...minimal, ...efs({ authorizationConfig: { iam: 'ENABLED' } }) },
    ],
    [
      'Log driver awslogs requires options: awslogs-region, awslogs-group',
      withApp({ logConfiguration: { logDriver: 'awslogs' } }),
    ],
    [
      'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.',
      withApp({ logConfiguration: { logDriver: 'awsfirelens' } }),
    ],
    [
      "Health check interval must be less than or equal to the maximum allowed value 300 for container 'app'",
      withApp({ healthCheck: { command: ['CMD', 'x'], interval: 301 } }),
    ],
    [
      'Soft limit exceeds hard limit for ulimit nofile',
      withApp({ ulimits: [{ name: 'nofile', softLimit: 2, hardLimit: 1 }] }),
    ],
    ["Granular stop timeout on container 'app' must be at least 2 seconds.", withApp({ stopTimeout: 1 })],
    ['Role is not valid', { ...minimal, taskRoleArn: 'arn:aws:s3:::bucket' }],
    ['Tags can not be empty.', { ...minimal, tags: [] }],
    ["Unsupported field 'inferenceAccelerators'.", { ...minimal, inferenceAccelerators: [] }],
    ['EphemeralStorage size should be at least 21', { ...fargate, ephemeralStorage: { sizeInGiB: 20 } }],
    [
      'Tasks using the EC2 launch type do not support EphemeralStorage.',
      { ...minimal, requiresCompatibilities: ['EC2'], ephemeralStorage: { sizeInGiB: 30 } },
    ],
    ['Fargate only supports network mode ‘awsvpc’.', { ...fargate, networkMode: 'bridge' }],
    [
      'No Fargate configuration exists for given values: 1024 CPU, 1024 memory. See the Amazon ECS documentation for the valid values.',
      { ...fargate, cpu: '1024', memory: '1024' },
    ],
    [
      "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
      { ...fargate, pidMode: 'host' },
    ],
    [
      'Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.',
      onFargate({ stopTimeout: 121 }),
    ],
    [
      'json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]',
      onFargate({ logConfiguration: { logDriver: 'json-file' } }),
    ],
    [
      'NET_ADMIN is not allowed on Fargate.',
      onFargate({ linuxParameters: { capabilities: { add: ['NET_ADMIN'] } } }),
    ],
    [
      'Fargate compatible task definitions do not support sourcePath',
      { ...fargate, volumes: [{ name: 'v', host: { sourcePath: '/x' } }] },
    ],
  ])('says: %s', async (message, input) => {
    const context = await testContext()
    expect(() => registerTaskDefinition.run(context, input)).toThrow(
      expect.objectContaining({ code: 'ClientException', message }),
    )
    expect(context.store.size('taskDefinition')).toBe(0)
    expect(context.store.size('taskDefinitionFamily')).toBe(0)
  })

  test('says how long a request is that is too long', async () => {
    const context = await testContext()
    expect(() => registerTaskDefinition.run(context, withApp({ command: ['x'.repeat(70_000)] }))).toThrow(
      /^Actual length: '70\d{3}'\. Max allowed length is '65536' bytes\.$/,
    )
  })
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
      { arn: taskDefinition?.taskDefinitionArn, reason: expect.stringContaining('still in ACTIVE status') },
      { arn: 'g:1', reason: expect.stringContaining('does not exist') },
      { arn: 'g', reason: expect.stringContaining('identifier is invalid') },
    ])
    expect(() => deleteTaskDefinitions.run(context, { taskDefinitions: [] })).toThrow('greater than 0')
    expect(() =>
      deleteTaskDefinitions.run(context, { taskDefinitions: Array<string>(11).fill('f:1') }),
    ).toThrow('cannot exceed 10')
  })
})

test('lists know a family by its whole name, families by the beginning of theirs', async () => {
  const context = await testContext()
  for (const family of ['web-api', 'web', 'db'])
    for (let count = 0; count < 11; count++) registerTaskDefinition.run(context, { ...minimal, family })
  deregisterTaskDefinition.run(context, { taskDefinition: 'web:1' })
  const revisions = (answer: { taskDefinitionArns?: string[] | undefined }) =>
    answer.taskDefinitionArns?.map((arn) => arn.slice(arn.indexOf('/') + 1))
  expect(revisions(listTaskDefinitions.run(context, { familyPrefix: 'web', maxResults: 2 }))).toEqual([
    'web:2',
    'web:3',
  ])
  expect(revisions(listTaskDefinitions.run(context, { sort: 'DESC', maxResults: 2 }))).toEqual([
    'web-api:11',
    'web-api:10',
  ])
  expect(revisions(listTaskDefinitions.run(context, { status: 'INACTIVE' }))).toEqual(['web:1'])
  expect(listTaskDefinitionFamilies.run(context, { familyPrefix: 'web' }).families).toEqual([
    'web',
    'web-api',
  ])
  for (let revision = 1; revision <= 11; revision++)
    deregisterTaskDefinition.run(context, { taskDefinition: `db:${revision}` })
  expect(listTaskDefinitionFamilies.run(context, { status: 'INACTIVE' }).families).toEqual(['db'])
  expect(listTaskDefinitionFamilies.run(context, { status: 'ACTIVE' }).families).toEqual(['web', 'web-api'])
})
