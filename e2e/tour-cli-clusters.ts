import { expect } from 'vitest'
import type { Stage } from './stage.ts'

/** What the AWS CLI says of an error. */
export function refusal(type: string, operation: string, message: string): string {
  return `An error occurred (${type}) when calling the ${operation} operation: ${message}`
}

export async function clusterLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  const clusterArn = account.arn('cluster/tour')
  const tags = [{ key: 'owner', value: 'web' }]
  const on = [{ name: 'containerInsights', value: 'enabled' }]
  expect(await aws`create-cluster --cluster-name tour --tags ${tags} --settings ${on}`).toMatchObject({
    cluster: { clusterArn, clusterName: 'tour', status: 'ACTIVE', tags, settings: on },
  })
  expect(await aws`list-clusters`).toEqual({ clusterArns: [clusterArn] })
  expect(await aws`describe-clusters --clusters tour none --include TAGS SETTINGS`).toMatchObject({
    clusters: [{ clusterArn, registeredContainerInstancesCount: 0, tags, settings: on }],
    failures: [{ arn: account.arn('cluster/none'), reason: 'MISSING' }],
  })
  const configuration = { executeCommandConfiguration: { logging: 'NONE' } }
  expect(await aws`update-cluster --cluster tour --configuration ${configuration}`).toMatchObject({
    cluster: { clusterArn, configuration },
  })
  const off = [{ name: 'containerInsights', value: 'disabled' }]
  expect(await aws`update-cluster-settings --cluster tour --settings ${off}`).toMatchObject({
    cluster: { clusterArn, settings: off },
  })
  expect(await aws`tag-resource --resource-arn ${clusterArn} --tags key=stage,value=dev`).toBeUndefined()
  expect(await aws`untag-resource --resource-arn ${clusterArn} --tag-keys owner`).toBeUndefined()
  expect(await aws`list-tags-for-resource --resource-arn ${clusterArn}`).toEqual({
    tags: [{ key: 'stage', value: 'dev' }],
  })
  expect(await aws`delete-cluster --cluster tour`).toMatchObject({
    cluster: { clusterArn, status: 'INACTIVE' },
  })
  await expect(aws`delete-cluster --cluster none`).rejects.toThrow(
    refusal('ClusterNotFoundException', 'DeleteCluster', 'Cluster not found.'),
  )
}

export async function accountSettingLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  const principalArn = `arn:aws:iam::${account.id}:root`
  const setting = { name: 'containerInsights', value: 'enabled', principalArn }
  expect(await aws`put-account-setting-default --name containerInsights --value enabled`).toMatchObject({
    setting,
  })
  expect(await aws`put-account-setting --name containerInsights --value enabled`).toMatchObject({ setting })
  expect(await aws`list-account-settings --name containerInsights --effective-settings`).toMatchObject({
    settings: [setting],
  })
  expect(await aws`delete-account-setting --name containerInsights`).toMatchObject({
    setting: { name: 'containerInsights', principalArn },
  })
  await expect(aws`put-account-setting --name none --value enabled`).rejects.toThrow(
    'An error occurred (InvalidParameterException) when calling the PutAccountSetting operation',
  )
}

export async function capacityProviderLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  const autoScalingGroupArn = `arn:aws:autoscaling:us-east-1:${account.id}:autoScalingGroup:1b9a4c4e-5f0f-4d5c-8bb5-7d3f40d11111:autoScalingGroupName/tour`
  const group = { autoScalingGroupArn, managedTerminationProtection: 'DISABLED' }
  expect(
    await aws`create-capacity-provider --name tour --auto-scaling-group-provider ${group}`,
  ).toMatchObject({
    capacityProvider: {
      capacityProviderArn: account.arn('capacity-provider/tour'),
      name: 'tour',
      status: 'ACTIVE',
      autoScalingGroupProvider: group,
    },
  })
  expect(await aws`describe-capacity-providers --query capacityProviders[].name`).toEqual(
    expect.arrayContaining(['FARGATE', 'FARGATE_SPOT', 'tour']),
  )
  const unscaled = { managedScaling: { status: 'DISABLED' } }
  expect(
    await aws`update-capacity-provider --name tour --auto-scaling-group-provider ${unscaled}`,
  ).toMatchObject({ capacityProvider: { name: 'tour', autoScalingGroupProvider: unscaled } })
  await account.ecs.createCluster({ clusterName: 'tour' })
  const put = (capacityProviders: readonly string[], defaultCapacityProviderStrategy: readonly object[]) =>
    aws`put-cluster-capacity-providers --cluster tour --capacity-providers ${capacityProviders}
      --default-capacity-provider-strategy ${defaultCapacityProviderStrategy}`
  const defaultCapacityProviderStrategy = [{ capacityProvider: 'tour', weight: 1, base: 0 }]
  expect(await put(['tour'], defaultCapacityProviderStrategy)).toMatchObject({
    cluster: { capacityProviders: ['tour'], defaultCapacityProviderStrategy },
  })
  expect(await aws`delete-capacity-provider --capacity-provider tour`).toMatchObject({
    capacityProvider: {
      status: 'ACTIVE',
      updateStatus: 'DELETE_FAILED',
      updateStatusReason: expect.stringContaining('associated with cluster: tour') as unknown,
    },
  })
  expect(await put([], [])).toMatchObject({
    cluster: { capacityProviders: [], defaultCapacityProviderStrategy: [] },
  })
  expect(await aws`delete-capacity-provider --capacity-provider tour`).toMatchObject({
    capacityProvider: {
      name: 'tour',
      updateStatus: expect.stringMatching(/^DELETE_(?:IN_PROGRESS|COMPLETE)$/) as unknown,
    },
  })
  await expect(aws`delete-capacity-provider --capacity-provider FARGATE`).rejects.toThrow(
    'when calling the DeleteCapacityProvider operation',
  )
}

export async function containerInstanceLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  await account.ecs.createCluster({ clusterName: 'tour' })
  const registeredResources = [
    { name: 'CPU', type: 'INTEGER', integerValue: 2048 },
    { name: 'MEMORY', type: 'INTEGER', integerValue: 3768 },
  ]
  const { containerInstance } =
    (await aws`register-container-instance --cluster tour --total-resources ${registeredResources}`) as {
      containerInstance: { containerInstanceArn: string }
    }
  expect(containerInstance).toMatchObject({ status: 'ACTIVE', agentConnected: false, registeredResources })
  const { containerInstanceArn } = containerInstance
  const id = containerInstanceArn.slice(-32)
  const none = '0'.repeat(32)
  expect(containerInstanceArn).toBe(account.arn(`container-instance/tour/${id}`))

  const rack = { name: 'rack', value: 'a', targetId: containerInstanceArn }
  expect(await aws`put-attributes --cluster tour --attributes ${[rack]}`).toEqual({ attributes: [rack] })
  expect(
    await aws`list-attributes --cluster tour --target-type container-instance --attribute-name rack`,
  ).toMatchObject({ attributes: [rack] })
  expect(await aws`list-container-instances --cluster tour --filter ${'attribute:rack == a'}`).toEqual({
    containerInstanceArns: [containerInstanceArn],
  })
  const named = [{ name: 'rack', targetId: containerInstanceArn }]
  expect(await aws`delete-attributes --cluster tour --attributes ${named}`).toMatchObject({
    attributes: named,
  })
  expect(
    await aws`update-container-instances-state --cluster tour --container-instances ${[id, none]} --status DRAINING`,
  ).toMatchObject({
    containerInstances: [{ containerInstanceArn, status: 'DRAINING' }],
    failures: [{ arn: account.arn(`container-instance/tour/${none}`), reason: 'MISSING' }],
  })
  expect(await aws`describe-container-instances --cluster tour --container-instances ${id}`).toMatchObject({
    containerInstances: [{ containerInstanceArn, status: 'DRAINING', runningTasksCount: 0 }],
    failures: [],
  })
  await expect(aws`update-container-agent --cluster tour --container-instance ${id}`).rejects.toThrow(
    'when calling the UpdateContainerAgent operation',
  )
  expect(
    await aws`deregister-container-instance --cluster tour --container-instance ${id} --force`,
  ).toMatchObject({ containerInstance: { containerInstanceArn, status: 'INACTIVE' } })
}

export async function agentLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  await account.ecs.createCluster({ clusterName: 'tour' })
  expect(await aws`discover-poll-endpoint --cluster tour`).toMatchObject({
    endpoint: expect.stringContaining('://') as unknown,
    telemetryEndpoint: expect.stringContaining('://') as unknown,
  })
  const task = account.arn(`task/tour/${'0'.repeat(32)}`)
  const unknown = 'The referenced task was not found.'
  await expect(aws`submit-task-state-change --cluster tour --task ${task} --status RUNNING`).rejects.toThrow(
    refusal('InvalidParameterException', 'SubmitTaskStateChange', unknown),
  )
  await expect(
    aws`submit-container-state-change --cluster tour --task ${task} --status RUNNING --container-name main`,
  ).rejects.toThrow(refusal('InvalidParameterException', 'SubmitContainerStateChange', unknown))
  await expect(
    aws`submit-attachment-state-changes --cluster tour --attachments attachmentArn=none,status=ATTACHED`,
  ).rejects.toThrow('(InvalidParameterException) when calling the SubmitAttachmentStateChanges operation')
}
