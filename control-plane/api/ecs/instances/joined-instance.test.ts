import { expect, test } from 'vitest'
import { putCluster } from '#api/ecs/testing-rows.ts'
import { type Context } from '#api/operation.ts'
import { testContext } from '#api/testing.ts'
import { externalPrincipal } from '#domain/join.ts'
import { discoverPollEndpoint, registerContainerInstance } from './container-instance-registration.ts'

const instanceId = 'mi-0123456789abcdef0'
const attributes = [{ name: 'ecs.capability.external' }]

async function contextOf(reachedAt?: string): Promise<Context> {
  const context = await testContext()
  putCluster(context, 'edge')
  const { principalArn: arn, userId } = externalPrincipal(context.scope.accountId, instanceId)
  const caller = { accountId: context.scope.accountId, arn, userId }
  return { ...context, caller, ...(reachedAt !== undefined && { reachedAt }) }
}

test('registers a host that joined under the id it signs with', async () => {
  const context = await contextOf()
  const { containerInstance } = registerContainerInstance.run(context, { cluster: 'edge', attributes })
  expect(containerInstance?.ec2InstanceId).toBe(instanceId)
})

test.each(['http://127.0.0.1:4566', 'https://10.0.0.5:4566'])(
  'tells an agent that reached it at %s to connect there, and remembers so',
  async (reachedAt) => {
    const context = await contextOf(reachedAt)
    const { containerInstance } = registerContainerInstance.run(context, { cluster: 'edge', attributes })
    const arn = containerInstance?.containerInstanceArn ?? ''
    expect(context.store.find('containerInstance', arn)?.controlPlaneUrl).toBe(reachedAt)
    expect(discoverPollEndpoint.run(context, { cluster: 'edge', containerInstance: arn })).toMatchObject({
      endpoint: `${reachedAt}/acs`,
      telemetryEndpoint: `${reachedAt}/tcs`,
    })
  },
)

test('forgets how an agent reached it that registers again another way', async () => {
  const context = await contextOf('https://10.0.0.5:4566')
  const first = registerContainerInstance.run(context, { cluster: 'edge', attributes })
  const containerInstanceArn = first.containerInstance?.containerInstanceArn ?? ''
  const { reachedAt: _, ...local } = context
  registerContainerInstance.run(local, { cluster: 'edge', attributes, containerInstanceArn })
  expect(context.store.find('containerInstance', containerInstanceArn)).not.toHaveProperty('controlPlaneUrl')
})
