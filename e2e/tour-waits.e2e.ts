/** All waiters and paginators of the AWS SDK. */
import {
  type ECS,
  paginateListAccountSettings,
  paginateListAttributes,
  paginateListClusters,
  paginateListContainerInstances,
  paginateListGatewayClusterAssociations,
  paginateListGatewayRoutes,
  paginateListGateways,
  paginateListServices,
  paginateListServicesByNamespace,
  paginateListTaskDefinitionFamilies,
  paginateListTaskDefinitions,
  paginateListTasks,
  waitUntilDaemonDeploymentStopped,
  waitUntilServicesInactive,
  waitUntilServicesStable,
  waitUntilTasksRunning,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs'
import { RunInstancesCommand } from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Account } from './account.ts'
import { createDaemon } from './daemon.ts'
import { Stage } from './stage.ts'
import { eventually } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
})
afterAll(() => stage.end())

const main = { name: 'main', image: 'busybox', memory: 64 }
const wait = { minDelay: 0.2, maxDelay: 0.2, maxWaitTime: 30 }

/** An account whose cluster `tour` has an agent and the service `web` of two tasks. */
async function withService(): Promise<Account> {
  const account = await stage.withCluster('tour')
  const { ecs } = account
  await ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  await ecs.createService({ cluster: 'tour', serviceName: 'web', taskDefinition: 'tour', desiredCount: 2 })
  return account
}

test.concurrent('the waiters of tasks tell success from failure', async () => {
  const { ecs } = await stage.withCluster('tour')
  const run = async (image: string): Promise<{ cluster: string; tasks: string[] }> => {
    const { taskDefinition } = await ecs.registerTaskDefinition({
      family: 'tour',
      containerDefinitions: [{ ...main, image }],
    })
    const { tasks } = await ecs.runTask({
      cluster: 'tour',
      taskDefinition: taskDefinition?.taskDefinitionArn,
    })
    return { cluster: 'tour', tasks: [tasks?.[0]?.taskArn ?? ''] }
  }
  const client = { client: ecs, ...wait }
  const asked = await run('busybox')
  await waitUntilTasksRunning(client, asked)
  await ecs.stopTask({ cluster: 'tour', task: asked.tasks[0] })
  await waitUntilTasksStopped(client, asked)
  await expect(waitUntilTasksRunning(client, await run('exits-1'))).rejects.toThrow('FAILURE')
  const missing = { cluster: 'tour', tasks: ['0'.repeat(32)] }
  await expect(waitUntilTasksRunning(client, missing)).rejects.toThrow('FAILURE')
})

test.concurrent('the waiters of services tell success from failure', async () => {
  const { ecs } = await withService()
  const client = { client: ecs, ...wait }
  const asked = { cluster: 'tour', services: ['web'] }
  await waitUntilServicesStable(client, asked)
  const missing = { cluster: 'tour', services: ['none'] }
  await expect(waitUntilServicesStable(client, missing)).rejects.toThrow('FAILURE')
  await expect(waitUntilServicesInactive(client, missing)).rejects.toThrow('FAILURE')
  await ecs.deleteService({ cluster: 'tour', service: 'web', force: true })
  // DRAINING or INACTIVE, and never stable again.
  await expect(waitUntilServicesStable(client, asked)).rejects.toThrow('FAILURE')
  await waitUntilServicesInactive(client, asked)
})

/** Five of each thing that is listed. */
async function withFive(): Promise<ECS> {
  const { ecs } = await withService()
  for (let index = 0; index < 5; index++) {
    const containerDefinitions = [main]
    await ecs.createCluster({ clusterName: `other-${index}` })
    await ecs.registerTaskDefinition({ family: `other-${index}`, containerDefinitions })
    await ecs.registerTaskDefinition({ family: 'tour', containerDefinitions })
    await ecs.createService({
      cluster: 'tour',
      serviceName: `other-${index}`,
      taskDefinition: 'tour',
      desiredCount: 0,
    })
    await ecs.registerDaemonTaskDefinition({ family: `other-${index}`, containerDefinitions })
    const { containerInstance } = await ecs.registerContainerInstance({ cluster: 'tour' })
    const targetId = containerInstance?.containerInstanceArn
    await ecs.putAttributes({
      cluster: 'tour',
      attributes: [{ name: 'rack', value: String(index), targetId }],
    })
  }
  await ecs.runTask({ cluster: 'tour', taskDefinition: 'tour', count: 4 })
  return ecs
}

async function collect<Page>(
  pages: AsyncIterable<Page>,
  items: (page: Page) => readonly unknown[] | undefined,
): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const page of pages) all.push(...(items(page) ?? []))
  return all
}

test.concurrent('every paginator finds in pages of two what one page has, once each', async () => {
  const client = await withFive()
  const cluster = 'tour'
  const attribute = { cluster, targetType: 'container-instance', attributeName: 'rack' } as const
  const lists = (pageSize: number) => {
    const paged = { client, pageSize }
    return {
      clusters: collect(paginateListClusters(paged, {}), (page) => page.clusterArns),
      families: collect(paginateListTaskDefinitionFamilies(paged, {}), (page) => page.families),
      definitions: collect(
        paginateListTaskDefinitions(paged, { familyPrefix: 'tour' }),
        (page) => page.taskDefinitionArns,
      ),
      services: collect(paginateListServices(paged, { cluster }), (page) => page.serviceArns),
      tasks: collect(paginateListTasks(paged, { cluster }), (page) => page.taskArns),
      instances: collect(
        paginateListContainerInstances(paged, { cluster }),
        (page) => page.containerInstanceArns,
      ),
      attributes: collect(paginateListAttributes(paged, attribute), (page) => page.attributes),
      settings: collect(
        paginateListAccountSettings(paged, { effectiveSettings: true }),
        (page) => page.settings,
      ),
    }
  }
  const paged = lists(2)
  const whole = lists(10)
  const settings = (await whole.settings).length
  for (const [name, count] of [
    ['clusters', 6],
    ['families', 6],
    ['definitions', 6],
    ['services', 6],
    ['tasks', 6],
    ['instances', 6],
    ['attributes', 5],
    ['settings', settings],
  ] as const) {
    const found = await paged[name]
    const once = new Set(found.map((item) => JSON.stringify(item)))
    expect({ name, count: found.length, once: once.size }).toEqual({ name, count, once: count })
    expect(found).toEqual(expect.arrayContaining(await whole[name]))
  }
  expect(settings).toBeGreaterThan(2)
  const namespace = paginateListServicesByNamespace({ client, pageSize: 2 }, { namespace: 'none' })
  await expect(collect(namespace, (page) => page.serviceArns)).rejects.toMatchObject({
    name: 'NamespaceNotFoundException',
  })
  for (const pages of [
    paginateListGateways({ client }, {}),
    paginateListGatewayRoutes({ client }, {}),
    paginateListGatewayClusterAssociations({ client }, {}),
  ])
    await expect(collect<unknown>(pages, () => [])).rejects.toMatchObject({
      name: 'UnsupportedFeatureException',
    })
})

test.concurrent('lists without a paginator of their own page by token too', async () => {
  const ecs = await withFive()
  const pages = async <Page extends { nextToken?: string | undefined }>(
    ask: (nextToken: string | undefined) => Promise<Page>,
    items: (page: Page) => readonly unknown[] | undefined,
  ): Promise<number[]> => {
    const lengths: number[] = []
    let nextToken: string | undefined
    do {
      const page = await ask(nextToken)
      lengths.push(items(page)?.length ?? 0)
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return lengths
  }
  expect(
    await pages(
      (nextToken) => ecs.listDaemonTaskDefinitions({ maxResults: 2, nextToken }),
      (page) => page.daemonTaskDefinitions,
    ),
  ).toEqual([2, 2, 1])
  for (let count = 0; count < 4; count++)
    await ecs.updateService({ cluster: 'tour', service: 'web', forceNewDeployment: true })
  expect(
    await pages(
      (nextToken) =>
        ecs.listServiceDeployments({ cluster: 'tour', service: 'web', maxResults: 2, nextToken }),
      (page) => page.serviceDeployments,
    ),
  ).toEqual([2, 2, 1])
  await expect(ecs.listClusters({ nextToken: 'forged' })).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
})

test.concurrent('the waiter of daemon deployments: one on a real instance is stopped by the next', async () => {
  const { world } = stage
  const { ecs } = stage.newAccount({ id: '000000000000' })
  const image = await world.push('daemon')
  const { daemonArn, provider, definition } = await createDaemon(ecs, image)
  await world.ec2.send(
    new RunInstancesCommand({
      MinCount: 1,
      MaxCount: 1,
      InstanceType: 't3.small',
      UserData: Buffer.from('ECS_CLUSTER=tour\n').toString('base64'),
      TagSpecifications: [
        { ResourceType: 'instance', Tags: [{ Key: 'berth:capacity-provider', Value: 'managed' }] },
      ],
    }),
  )
  await eventually('the daemon runs on the instance', async () => {
    const { taskArns = [] } = await ecs.listTasks({ cluster: 'tour' })
    const { tasks } = await ecs.describeTasks({ cluster: 'tour', tasks: taskArns })
    return tasks?.[0]?.lastStatus === 'RUNNING'
  })
  const update = { daemonArn, daemonTaskDefinitionArn: definition, capacityProviderArns: [provider] }
  const { deploymentArn = '' } = await ecs.updateDaemon(update)
  await ecs.updateDaemon(update)
  const asked = { daemonDeploymentArns: [deploymentArn] }
  await expect(waitUntilDaemonDeploymentStopped({ client: ecs, ...wait }, asked)).resolves.toMatchObject({
    state: 'SUCCESS',
  })
})
