import type { RegisterContainerInstanceRequest } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { newTask } from '#domain/task.ts'
import { deleteAttributes, listAttributes, putAttributes } from './attribute.ts'
import { createCluster } from './cluster.ts'
import { discoverPollEndpoint, registerContainerInstance } from './container-instance-registration.ts'
import {
  deregisterContainerInstance,
  describeContainerInstances,
  listContainerInstances,
  updateContainerAgent,
  updateContainerInstancesState,
} from './container-instance.ts'
import { resolveTaskDefinition } from './resolve.ts'
import { registerTaskDefinition } from './task-definition.ts'

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
  test('tells of each reference that means nothing, and needs one at least', async () => {
    const context = await withCluster()
    const arn = register(context)
    const id = arn.slice(-32)
    const { containerInstances, failures } = describeContainerInstances.run(context, {
      containerInstances: [id, 'nope'],
      include: ['CONTAINER_INSTANCE_HEALTH'],
    })
    expect(containerInstances).toMatchObject([
      { containerInstanceArn: arn, healthStatus: { overallStatus: 'INSUFFICIENT_DATA' } },
    ])
    expect(failures).toEqual([
      { arn: 'arn:aws:ecs:us-east-1:000000000000:container-instance/default/nope', reason: 'MISSING' },
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
    updateContainerInstancesState.run(context, { containerInstances: [arn, 'nope'], status })
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

describe('attributes', () => {
  test('are put, listed by name and value, and deleted', async () => {
    const context = await withCluster()
    const targetId = register(context)
    const color = { name: 'color', value: 'blue', targetId }
    expect(putAttributes.run(context, { attributes: [color] }).attributes).toEqual([color])
    const list = (attributeName: string, attributeValue?: string) =>
      listAttributes.run(context, {
        targetType: 'container-instance',
        attributeName,
        ...(attributeValue !== undefined && { attributeValue }),
      }).attributes
    expect(list('color', 'blue')).toEqual([color])
    expect(list('color', 'red')).toEqual([])
    expect(
      deleteAttributes.run(context, { attributes: [{ name: 'color', targetId: targetId.slice(-32) }] }),
    ).toEqual({
      attributes: [color],
    })
    expect(list('color')).toEqual([])
  })

  test('are refused beyond ten custom ones and on a target that is not there, all or none', async () => {
    const context = await withCluster()
    const targetId = register(context)
    const attributes = Array.from({ length: 10 }, (_, index) => ({ name: `a${index}`, targetId }))
    expect(() => putAttributes.run(context, { attributes })).toThrow(
      expect.objectContaining({ code: 'AttributeLimitExceededException' }),
    )
    expect(rowOf(context, targetId).attributes).not.toContainEqual({ name: 'a0' })
    expect(() => putAttributes.run(context, { attributes: [{ name: 'a', targetId: 'nope' }] })).toThrow(
      expect.objectContaining({ code: 'TargetNotFoundException' }),
    )
    const ofTask = [{ name: 'a', targetId, targetType: 'task' as 'container-instance' }]
    expect(() => putAttributes.run(context, { attributes: ofTask })).toThrow(
      'targetType should be one of [container-instance]',
    )
    expect(() => putAttributes.run(context, { attributes: [{ name: 'a b', targetId }] })).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException' }),
    )
  })
})
