import type { RegisterContainerInstanceRequest } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { newTask } from '#domain/task.ts'
import { createCluster } from '#api/ecs/capacity/cluster.ts'
import { discoverPollEndpoint, registerContainerInstance } from './container-instance-registration.ts'
import {
  deregisterContainerInstance,
  describeContainerInstances,
  listContainerInstances,
  updateContainerAgent,
  updateContainerInstancesState,
} from './container-instance.ts'
import { resolveTaskDefinition } from '#api/ecs/resolve.ts'
import { registerTaskDefinition } from '#api/ecs/task-definitions/task-definition.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

const totalResources = [
  { name: 'PORTS', type: 'STRINGSET', stringSetValue: ['22', '2375'] },
  { name: 'CPU', type: 'INTEGER', integerValue: 2048 },
  { name: 'MEMORY', type: 'INTEGER', integerValue: 3712 },
]
const host: RegisterContainerInstanceRequest = {
  totalResources,
  attributes: [
    { name: 'ecs.capability.task-eni' },
    { name: 'ecs.os-family', value: 'LINUX' },
    { name: 'stack', value: 'prod' },
  ],
}
const document = JSON.stringify({
  instanceId: 'i-0123',
  availabilityZone: 'us-east-1b',
  instanceType: 't3.small',
  imageId: 'ami-1',
  architecture: 'arm64',
})

/** An id that no instance has. */
const nobody = '0'.repeat(32)

async function withCluster(): Promise<TestContext> {
  const context = await testContext()
  createCluster.run(context, {})
  return context
}

function register(
  context: TestContext,
  input: Parameters<typeof registerContainerInstance.run>[1] = host,
): string {
  return registerContainerInstance.run(context, input).containerInstance?.containerInstanceArn ?? ''
}

function rowOf(context: TestContext, arn: string): ContainerInstance {
  const row = context.store.find('containerInstance', arn)
  if (!row) throw new Error(`no ${arn}`)
  return row
}

/** Puts a PENDING task that takes a static port on the instance. */
function putTask(context: TestContext, containerInstanceArn: string): string {
  registerTaskDefinition.run(context, {
    family: 'web',
    containerDefinitions: [
      {
        name: 'web',
        image: 'busybox',
        cpu: 512,
        memory: 512,
        portMappings: [{ containerPort: 80, hostPort: 8080 }],
      },
    ],
  })
  const task = newTask({
    scope: context.scope,
    cluster: { clusterArn: rowOf(context, containerInstanceArn).clusterArn, clusterName: 'default' },
    taskDefinition: resolveTaskDefinition(context.store, context, 'web'),
    ids: context.ids,
    now: context.clock.now(),
    placement: { containerInstanceArn },
    group: 'family:web',
    launchType: 'EC2',
    enableExecuteCommand: false,
  })
  context.store.update((tx) => tx.put('task', task))
  return task.taskArn
}

describe('registering an instance', () => {
  test('echoes its attributes and adds what its identity document tells', async () => {
    const context = await withCluster()
    const { containerInstance } = registerContainerInstance.run(context, {
      ...host,
      instanceIdentityDocument: document,
      tags: [{ key: 'rack', value: '7' }],
    })
    expect(containerInstance).toMatchObject({
      ec2InstanceId: 'i-0123',
      status: 'ACTIVE',
      version: 1,
      runningTasksCount: 0,
      tags: [{ key: 'rack', value: '7' }],
    })
    expect(containerInstance?.containerInstanceArn).toMatch(
      /^arn:aws:ecs:us-east-1:000000000000:container-instance\/default\/[0-9a-f]{32}$/,
    )
    expect(containerInstance?.registeredResources?.map(({ name }) => name)).toEqual([
      'CPU',
      'MEMORY',
      'PORTS',
    ])
    expect(containerInstance?.attributes).toEqual(
      expect.arrayContaining([
        ...(host.attributes ?? []),
        { name: 'ecs.availability-zone', value: 'us-east-1b' },
        { name: 'ecs.instance-type', value: 't3.small' },
        { name: 'ecs.ami-id', value: 'ami-1' },
        { name: 'ecs.cpu-architecture', value: 'arm64' },
        { name: 'ecs.os-type', value: 'linux' },
      ]),
    )
  })

  test('makes one instance of the same request sent twice', async () => {
    const context = await withCluster()
    const first = register(context, { ...host, clientToken: 'once' })
    expect(register(context, { ...host, clientToken: 'once' })).toBe(first)
    expect(register(context, { ...host, clientToken: 'again' })).not.toBe(first)
  })

  test('keeps the ARN, the state and the custom attributes of one that registers again', async () => {
    const context = await withCluster()
    const arn = register(context)
    updateContainerInstancesState.run(context, { containerInstances: [arn], status: 'DRAINING' })
    const again = register(context, { totalResources, attributes: [], containerInstanceArn: arn })
    expect(again).toBe(arn)
    expect(rowOf(context, arn)).toMatchObject({
      status: 'DRAINING',
      version: 3,
      attributes: [{ name: 'stack', value: 'prod' }],
    })
  })

  test('takes an ARN it does not know, for the agent will not take another', async () => {
    const context = await withCluster()
    const arn = `arn:aws:ecs:us-east-1:000000000000:container-instance/default/${'0'.repeat(32)}`
    expect(register(context, { ...host, containerInstanceArn: arn })).toBe(arn)
    expect(() =>
      register(context, { ...host, containerInstanceArn: arn.replace('default', 'other') }),
    ).toThrow(expect.objectContaining({ message: 'Identifier is for other. Your cluster is default' }))
  })

  test('refuses a change of the instance type', async () => {
    const context = await withCluster()
    const arn = register(context, { ...host, instanceIdentityDocument: document })
    expect(() =>
      register(context, {
        containerInstanceArn: arn,
        instanceIdentityDocument: document.replace('t3.small', 't3.large'),
      }),
    ).toThrow('Container instance type changes are not supported.')
  })

  test('gives an external instance an id of its own, and keeps it', async () => {
    const context = await withCluster()
    const external = {
      ...host,
      attributes: [{ name: 'ecs.capability.external' }],
      instanceIdentityDocument: '',
    }
    const arn = register(context, external)
    const { ec2InstanceId } = rowOf(context, arn)
    expect(ec2InstanceId).toMatch(/^mi-[0-9a-f]{17}$/)
    register(context, { ...external, containerInstanceArn: arn })
    expect(rowOf(context, arn)).toMatchObject({ external: true, ec2InstanceId })
  })

  test('refuses custom attributes that can be none, and an eleventh', async () => {
    const context = await withCluster()
    const refusal = (attributes: { name: string; value?: string }[]): string =>
      refusalOf(() => register(context, { ...host, attributes })).split(':')[0] ?? ''
    expect(refusal([{ name: 'a b' }])).toBe('InvalidParameterException')
    expect(refusal([{ name: 'a', value: ' x' }])).toBe('InvalidParameterException')
    expect(refusal(Array.from({ length: 11 }, (_, index) => ({ name: `a${index}` })))).toBe(
      'InvalidParameterException',
    )
    expect(refusal([{ name: 'ecs.os-type', value: 'linux' }])).toBe('nothing')
    expect(context.store.size('containerInstance')).toBe(1)
  })

  test('needs a cluster that is there, and a document that can be read', async () => {
    const context = await testContext()
    expect(() => register(context)).toThrow(
      expect.objectContaining({ code: 'ClusterNotFoundException', message: 'Cluster not found.' }),
    )
    createCluster.run(context, {})
    expect(() => register(context, { ...host, instanceIdentityDocument: '{' })).toThrow(
      expect.objectContaining({ code: 'ClientException' }),
    )
  })
})

describe('what an instance has left', () => {
  test('is what it has less its tasks, and the ports are those taken', async () => {
    const context = await withCluster()
    const arn = register(context)
    putTask(context, arn)
    const [shown] =
      describeContainerInstances.run(context, { containerInstances: [arn] }).containerInstances ?? []
    expect(shown).toMatchObject({ pendingTasksCount: 1, runningTasksCount: 0 })
    expect(shown?.remainingResources).toMatchObject([
      { name: 'CPU', integerValue: 1536 },
      { name: 'MEMORY', integerValue: 3200 },
      { name: 'PORTS', stringSetValue: expect.arrayContaining(['22', '2375', '8080']) },
    ])
  })
})

describe('deregistering', () => {
  test('is refused with tasks on the instance, unless forced: then they are STOPPED', async () => {
    const context = await withCluster()
    const arn = register(context)
    const taskArn = putTask(context, arn)
    expect(() => deregisterContainerInstance.run(context, { containerInstance: arn })).toThrow(
      expect.objectContaining({
        code: 'InvalidParameterException',
        message: 'Found running tasks on the instance.',
      }),
    )
    const forced = deregisterContainerInstance.run(context, { containerInstance: arn, force: true })
    expect(forced.containerInstance?.status).toBe('INACTIVE')
    expect(context.store.find('task', taskArn)).toMatchObject({
      desiredStatus: 'STOPPED',
      lastStatus: 'STOPPED',
      stoppedReason: 'Container instance deregistration forced by user',
    })
    expect(listContainerInstances.run(context, {}).containerInstanceArns).toEqual([])
    expect(() => deregisterContainerInstance.run(context, { containerInstance: arn })).toThrow('not found')
    register(context, { ...host, containerInstanceArn: arn })
    expect(rowOf(context, arn).status).toBe('ACTIVE')
  })
})

describe('describing and listing', () => {
  test('shows tags and health when they are asked for, and refuses what there is not to include', async () => {
    const context = await withCluster()
    const tags = [{ key: 'rack', value: '7' }]
    const arn = register(context, { ...host, tags })
    const show = (include: string[]) =>
      describeContainerInstances.run(context, { containerInstances: [arn], include: include as ['TAGS'] })
        .containerInstances?.[0]
    expect(show([])).toMatchObject({ tags: [] })
    expect(show([])).not.toHaveProperty('healthStatus')
    expect(show(['TAGS', 'CONTAINER_INSTANCE_HEALTH'])).toMatchObject({
      tags,
      healthStatus: { overallStatus: 'INSUFFICIENT_DATA', details: [] },
    })
    expect(() => show(['SECRETS'])).toThrow('include should be one of [CONTAINER_INSTANCE_HEALTH,TAGS]')
  })

  test.each<[string, (context: TestContext, ref: string) => unknown]>([
    ['describing', (context, ref) => describeContainerInstances.run(context, { containerInstances: [ref] })],
    [
      'setting its state',
      (context, ref) =>
        updateContainerInstancesState.run(context, { containerInstances: [ref], status: 'DRAINING' }),
    ],
    ['deregistering', (context, ref) => deregisterContainerInstance.run(context, { containerInstance: ref })],
    ['updating the agent', (context, ref) => updateContainerAgent.run(context, { containerInstance: ref })],
  ])('%s refuses what names no container instance of the cluster', async (_, act) => {
    const context = await withCluster()
    const refusal = (ref: string): string => refusalOf(() => act(context, ref))
    const of = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
    expect(refusal('None')).toBe('InvalidParameterException: instanceId length should be one of [32,36]')
    expect(refusal(of(`container-instance/other/${nobody}`))).toBe(
      'InvalidParameterException: Identifier is for other. Your cluster is default',
    )
    const long = of(`container-instance/default/${nobody}`)
    expect(refusal(long.replace('us-east-1', 'eu-west-1'))).toBe(
      'InvalidParameterException: Identifier is for eu-west-1. Your region is us-east-1',
    )
    expect(refusal(long.replace('000000000000', '111111111111'))).toBe(
      'InvalidParameterException: Identifier is for 111111111111. Your account is 000000000000',
    )
    expect(refusal(of('cluster/default'))).toBe(
      'InvalidParameterException: Unsupported resource type: cluster',
    )
  })

  test.each([
    ['describe', 101, 'Container Instances cannot have more than 100 elements.'],
    ['update', 11, 'Container Instances cannot have more than 10 elements.'],
  ])('no more than so many at once: %s', async (which, count, message) => {
    const context = await withCluster()
    const containerInstances = Array<string>(count).fill(nobody)
    const act = () =>
      which === 'describe'
        ? describeContainerInstances.run(context, { containerInstances })
        : updateContainerInstancesState.run(context, { containerInstances, status: 'ACTIVE' })
    expect(refusalOf(act)).toBe(`InvalidParameterException: ${message}`)
  })

  test('lists instances page by page, once each, while others come and go', async () => {
    const context = await withCluster()
    const before = Array.from({ length: 7 }, () => register(context))
    const first = listContainerInstances.run(context, { maxResults: 3 })
    const [shown = ''] = first.containerInstanceArns ?? []
    deregisterContainerInstance.run(context, { containerInstance: shown })
    const late = register(context)
    const { nextToken = '' } = first
    const rest = listContainerInstances.run(context, { nextToken })
    const seen = [...(first.containerInstanceArns ?? []), ...(rest.containerInstanceArns ?? [])]
    expect(rest.nextToken).toBeUndefined()
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.filter((arn) => arn !== late)).toEqual(before.toSorted())
    expect(() => listContainerInstances.run(context, { nextToken, status: 'ACTIVE' })).toThrow(
      'Invalid token',
    )
  })

  test('tells of each reference that means nothing, and needs one at least', async () => {
    const context = await withCluster()
    const arn = register(context)
    const id = arn.slice(-32)
    const { containerInstances, failures } = describeContainerInstances.run(context, {
      containerInstances: [id, nobody, id],
      include: ['CONTAINER_INSTANCE_HEALTH'],
    })
    expect(containerInstances).toMatchObject([
      { containerInstanceArn: arn, healthStatus: { overallStatus: 'INSUFFICIENT_DATA' } },
    ])
    expect(failures).toEqual([
      { arn: `arn:aws:ecs:us-east-1:000000000000:container-instance/default/${nobody}`, reason: 'MISSING' },
    ])
    expect(() => describeContainerInstances.run(context, { containerInstances: [] })).toThrow(
      expect.objectContaining({ code: 'ClientException', message: 'Container Instances cannot be empty.' }),
    )
  })

  test('filters by the cluster query language and by status', async () => {
    const context = await withCluster()
    const [prod, plain] = [register(context), register(context, { totalResources })]
    updateContainerInstancesState.run(context, { containerInstances: [plain], status: 'DRAINING' })
    const list = (input: Parameters<typeof listContainerInstances.run>[1]) =>
      listContainerInstances.run(context, input).containerInstanceArns
    expect(list({ filter: 'attribute:stack == prod' })).toEqual([prod])
    expect(list({ status: 'DRAINING' })).toEqual([plain])
    expect(list({})?.toSorted()).toEqual([prod, plain].toSorted())
    expect(() => list({ status: 'IDLE' as 'ACTIVE' })).toThrow(
      'Container instance status should be one of [ACTIVE,DRAINING,',
    )
    expect(() => list({ filter: 'attribute:stack ==' })).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException' }),
    )
  })
})

test('states are ACTIVE and DRAINING only, and a repeated one changes nothing', async () => {
  const context = await withCluster()
  const arn = register(context)
  const update = (status: 'ACTIVE' | 'DRAINING' | 'DEREGISTERING') =>
    updateContainerInstancesState.run(context, { containerInstances: [arn, nobody], status })
  expect(update('DRAINING')).toMatchObject({
    containerInstances: [{ status: 'DRAINING', version: 2 }],
    failures: [{ reason: 'MISSING' }],
  })
  expect(update('DRAINING').containerInstances).toMatchObject([{ version: 2 }])
  expect(update('ACTIVE').containerInstances).toMatchObject([{ status: 'ACTIVE', version: 3 }])
  expect(() => update('DEREGISTERING')).toThrow(
    'Container instance status should be one of [ACTIVE, DRAINING]',
  )
})

test('an agent finds its endpoints, and no other version of itself', async () => {
  const context = await withCluster()
  const arn = register(context)
  expect(discoverPollEndpoint.run(context, { containerInstance: arn })).toEqual({
    endpoint: 'http://127.0.0.1:4566/acs',
    telemetryEndpoint: 'http://127.0.0.1:4566/tcs',
    serviceConnectEndpoint: 'http://127.0.0.1:4566/service-connect',
  })
  expect(() => updateContainerAgent.run(context, { containerInstance: arn })).toThrow(
    expect.objectContaining({ code: 'MissingVersionException' }),
  )
  const row = { ...rowOf(context, arn), versionInfo: { agentVersion: '1.105.0' } }
  context.store.update((tx) => tx.put('containerInstance', row))
  expect(() => updateContainerAgent.run(context, { containerInstance: arn })).toThrow(
    expect.objectContaining({ code: 'NoUpdateAvailableException' }),
  )
})
