import { expect, test } from 'vitest'
import { runInstances } from '#api/ec2/run-instances.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { createCapacityProvider } from '#api/ecs/capacity/capacity-provider.ts'
import { registerContainerInstance } from './container-instance-registration.ts'
import { describeContainerInstances } from './container-instance.ts'
import { putCluster } from '#api/ecs/testing-rows.ts'

function tagged(context: TestContext, value: string | undefined): string {
  const { Instances = [] } = runInstances(context, {
    MinCount: 1,
    MaxCount: 1,
    TagSpecifications: [
      {
        ResourceType: 'instance',
        Tags: [
          { Key: 'Name', Value: 'other' },
          ...(value === undefined ? [] : [{ Key: 'berth:capacity-provider', Value: value }]),
        ],
      },
    ],
  })
  return Instances[0]?.InstanceId ?? ''
}

function register(context: TestContext, instanceId: string, containerInstanceArn?: string) {
  const { containerInstance } = registerContainerInstance.run(context, {
    totalResources: [{ name: 'CPU', type: 'INTEGER', integerValue: 1024 }],
    instanceIdentityDocument: JSON.stringify({ instanceId }),
    containerInstanceArn,
  })
  return containerInstance
}

async function withCluster(): Promise<TestContext> {
  const context = await testContext()
  putCluster(context, 'default')
  return context
}

test('an instance belongs to the provider that the tag of its EC2 instance names, made or not yet', async () => {
  const context = await withCluster()
  const made = register(context, tagged(context, 'later'))
  expect(made).toMatchObject({ capacityProviderName: 'later' })
  const arn = made?.containerInstanceArn ?? ''
  expect(
    describeContainerInstances.run(context, { containerInstances: [arn] }).containerInstances,
  ).toMatchObject([{ capacityProviderName: 'later' }])
})

test.each([undefined, '', 'FARGATE', 'no such name'])(
  'an instance with the tag %s belongs to none',
  async (value) => {
    const context = await withCluster()
    expect(register(context, tagged(context, value))).not.toHaveProperty('capacityProviderName')
  },
)

test('an instance that registers again belongs to what its tag says by then', async () => {
  const context = await withCluster()
  const instanceId = tagged(context, 'one')
  const arn = register(context, instanceId)?.containerInstanceArn
  const resourceArn = `arn:aws:ec2:us-east-1:000000000000:instance/${instanceId}`
  context.store.update((tx) =>
    tx.put('resourceTags', { resourceArn, tags: [{ key: 'berth:capacity-provider', value: 'two' }] }),
  )
  expect(register(context, instanceId, arn)).toMatchObject({
    containerInstanceArn: arn,
    capacityProviderName: 'two',
  })
  context.store.update((tx) => tx.delete('resourceTags', resourceArn))
  expect(register(context, instanceId, arn)).not.toHaveProperty('capacityProviderName')
})

test('an instance of a provider of managed instances is one that launch types leave alone', async () => {
  const context = await withCluster()
  createCapacityProvider.run(context, {
    name: 'own',
    cluster: 'default',
    managedInstancesProvider: {
      infrastructureRoleArn: 'arn:aws:iam::000000000000:role/infrastructure',
      instanceLaunchTemplate: {
        ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/instances',
        networkConfiguration: { subnets: ['subnet-1'] },
      },
    },
  })
  const arn = register(context, tagged(context, 'own'))?.containerInstanceArn ?? ''
  expect(context.store.find('containerInstance', arn)).toMatchObject({
    capacityProviderName: 'own',
    managed: true,
  })
})
