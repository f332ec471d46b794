import type { ECS } from '@aws-sdk/client-ecs'
import { polite } from './one-instance.ts'

export const infrastructureRoleArn = 'arn:aws:iam::000000000000:role/ecsInfrastructureRole'

/** A cluster `tour` with a daemon on a managed-instances capacity provider. */
export async function createDaemon(
  ecs: ECS,
  image: string,
): Promise<{ daemonArn: string; provider: string; definition: string }> {
  const { cluster } = await ecs.createCluster({ clusterName: 'tour' })
  const { capacityProvider } = await ecs.createCapacityProvider({
    name: 'managed',
    cluster: 'tour',
    managedInstancesProvider: {
      infrastructureRoleArn,
      instanceLaunchTemplate: {
        ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/ecsInstanceRole',
        networkConfiguration: { subnets: ['subnet-1'], securityGroups: ['sg-1'] },
      },
    },
  })
  const { daemonTaskDefinitionArn: definition = '' } = await ecs.registerDaemonTaskDefinition({
    family: 'logs',
    containerDefinitions: [{ name: 'main', image, memory: 64, command: [...polite] }],
  })
  const provider = capacityProvider?.capacityProviderArn ?? ''
  const { daemonArn = '' } = await ecs.createDaemon({
    daemonName: 'logs',
    clusterArn: cluster?.clusterArn,
    daemonTaskDefinitionArn: definition,
    capacityProviderArns: [provider],
  })
  return { daemonArn, provider, definition }
}
