import {
  ServiceDeploymentNotFoundException,
  waitUntilDaemonActive,
  waitUntilDaemonDeploymentStopped,
  waitUntilDaemonDeploymentSuccessful,
  waitUntilDaemonTaskDefinitionActive,
  waitUntilDaemonTaskDefinitionDeleted,
} from '@aws-sdk/client-ecs'
import { expect } from 'vitest'
import { createDaemon, infrastructureRoleArn } from './daemon.ts'
import type { Stage } from './stage.ts'

const main = { name: 'main', image: 'busybox', memory: 64 }

export async function taskDefinitionDeletionLane(stage: Stage): Promise<void> {
  const { ecs } = stage.newAccount()
  await ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  const taskDefinitions = ['tour:1', 'tour:2']
  const active = await ecs.deleteTaskDefinitions({ taskDefinitions: ['tour:1'] })
  expect(active).toMatchObject({
    taskDefinitions: [],
    failures: [{ arn: expect.stringMatching(/:task-definition\/tour:1$/) as unknown }],
  })
  await ecs.deregisterTaskDefinition({ taskDefinition: 'tour:1' })
  expect(await ecs.deleteTaskDefinitions({ taskDefinitions })).toMatchObject({
    taskDefinitions: [{ family: 'tour', revision: 1, status: 'DELETE_IN_PROGRESS' }],
    failures: [{ arn: expect.stringMatching(/tour:2$/) as unknown }],
  })
}

export async function serviceDeploymentLane(stage: Stage): Promise<void> {
  const { ecs } = await stage.withCluster('tour')
  await ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [{ ...main, image: 'stuck' }] })
  await ecs.createService({ cluster: 'tour', serviceName: 'web', taskDefinition: 'tour', desiredCount: 2 })
  const { serviceDeployments: briefs } = await ecs.listServiceDeployments({ cluster: 'tour', service: 'web' })
  const serviceDeploymentArn = briefs?.[0]?.serviceDeploymentArn ?? ''
  const described = async () => {
    const found = await ecs.describeServiceDeployments({
      serviceDeploymentArns: [serviceDeploymentArn, `${serviceDeploymentArn}0`],
    })
    return found
  }
  const { serviceDeployments, failures } = await described()
  expect(serviceDeployments).toMatchObject([
    { serviceDeploymentArn, status: expect.stringMatching(/^(?:PENDING|IN_PROGRESS)$/) as unknown },
  ])
  expect(failures).toMatchObject([{ arn: `${serviceDeploymentArn}0`, reason: 'MISSING' }])
  const { serviceRevisions } = await ecs.describeServiceRevisions({
    serviceRevisionArns: [serviceDeployments?.[0]?.targetServiceRevision?.arn ?? ''],
  })
  expect(serviceRevisions).toMatchObject([{ containerImages: [{ containerName: 'main', image: 'stuck' }] }])
  await expect(ecs.continueServiceDeployment({ serviceDeploymentArn, hookId: 'none' })).rejects.toMatchObject(
    { $fault: 'client' },
  )
  expect(await ecs.stopServiceDeployment({ serviceDeploymentArn, stopType: 'ABORT' })).toMatchObject({
    serviceDeploymentArn,
  })
  await expect(
    ecs.stopServiceDeployment({ serviceDeploymentArn: `${serviceDeploymentArn}0` }),
  ).rejects.toBeInstanceOf(ServiceDeploymentNotFoundException)
}

export async function daemonLane(stage: Stage): Promise<void> {
  const { ecs } = stage.newAccount()
  const { daemonArn, provider, definition } = await createDaemon(ecs, 'busybox')
  // Definitions are deleted by the minute.
  const client = { client: ecs, minDelay: 0.5, maxDelay: 0.5, maxWaitTime: 120 }
  await waitUntilDaemonActive(client, { daemonArn })
  await waitUntilDaemonTaskDefinitionActive(client, { daemonTaskDefinition: definition })
  expect(await ecs.describeDaemonTaskDefinition({ daemonTaskDefinition: 'logs' })).toMatchObject({
    daemonTaskDefinition: { daemonTaskDefinitionArn: definition, revision: 1, status: 'ACTIVE' },
  })
  expect(await ecs.listDaemonTaskDefinitions({ family: 'logs' })).toMatchObject({
    daemonTaskDefinitions: [{ arn: definition, status: 'ACTIVE' }],
  })
  const { daemon } = await ecs.describeDaemon({ daemonArn })
  expect(daemon).toMatchObject({ daemonArn, status: 'ACTIVE', currentRevisions: [{}] })
  const revision = daemon?.currentRevisions?.[0]?.arn ?? ''
  expect(await ecs.describeDaemonRevisions({ daemonRevisionArns: [revision] })).toMatchObject({
    daemonRevisions: [{ daemonRevisionArn: revision, daemonTaskDefinitionArn: definition }],
  })
  expect(await ecs.listDaemons({ clusterArn: daemon?.clusterArn })).toMatchObject({
    daemonSummariesList: [{ daemonArn, status: 'ACTIVE' }],
  })

  const { daemonDeployments } = await ecs.listDaemonDeployments({ daemonArn })
  const daemonDeploymentArns = [daemonDeployments?.[0]?.daemonDeploymentArn ?? '']
  await waitUntilDaemonDeploymentSuccessful(client, { daemonDeploymentArns })
  expect(await ecs.describeDaemonDeployments({ daemonDeploymentArns })).toMatchObject({
    daemonDeployments: [{ status: 'SUCCESSFUL' }],
  })
  const none = { daemonDeploymentArns: [`${daemonDeploymentArns[0]}0`] }
  await expect(waitUntilDaemonDeploymentSuccessful(client, none)).rejects.toThrow('FAILURE')
  await expect(waitUntilDaemonDeploymentStopped(client, none)).rejects.toThrow('FAILURE')
  const update = { daemonArn, daemonTaskDefinitionArn: definition, capacityProviderArns: [provider] }
  expect(await ecs.updateDaemon(update)).toMatchObject({ daemonArn, status: 'ACTIVE' })

  expect(await ecs.deleteDaemon({ daemonArn })).toMatchObject({ daemonArn, status: 'DELETE_IN_PROGRESS' })
  await ecs.deleteDaemonTaskDefinition({ daemonTaskDefinition: definition })
  await waitUntilDaemonTaskDefinitionDeleted(client, { daemonTaskDefinition: definition })
}

export async function gatewayLane(stage: Stage): Promise<void> {
  const { ecs } = stage.newAccount()
  const gateway = 'tour'
  const serviceArn = `arn:aws:ecs:us-east-1:${await ecs.config.region()}:service/default/tour`
  const configuration = { elbGateway: undefined } as never
  const calls = [
    ecs.createGateway({ name: gateway, infrastructureRoleArn, configuration }),
    ecs.updateGateway({ gateway }),
    ecs.deleteGateway({ gateway }),
    ecs.describeGateway({ gateway }),
    ecs.describeGatewayResources({ gateway }),
    ecs.describeGatewayRoute({ gatewayRouteArn: 'tour' }),
    ecs.listGateways({}),
    ecs.listGatewayRoutes({ gateway }),
    ecs.listGatewayClusterAssociations({ gateway }),
    ecs.associateGatewayWithCluster({ gateway, cluster: 'default' }),
    ecs.disassociateGatewayFromCluster({ gateway, cluster: 'default' }),
    ecs.createExpressGatewayService({ infrastructureRoleArn }),
    ecs.describeExpressGatewayService({ serviceArn }),
    ecs.updateExpressGatewayService({ serviceArn }),
    ecs.deleteExpressGatewayService({ serviceArn }),
  ]
  const answers = await Promise.allSettled<unknown>(calls)
  expect(answers).toEqual(
    calls.map(() => ({
      status: 'rejected',
      reason: expect.objectContaining({
        name: 'UnsupportedFeatureException',
        message: expect.stringContaining('Berth does not') as unknown,
      }) as unknown,
    })),
  )
}
