// Inputs of ECS's operations that succeed; see samples-testing.ts.
import { existing, existingName } from './any-input-testing.ts'

const resources = [
  { name: 'CPU', type: 'INTEGER', integerValue: 4096 },
  { name: 'MEMORY', type: 'INTEGER', integerValue: 8192 },
  { name: 'PORTS', type: 'STRINGSET', stringSetValue: ['22'] },
  { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: [] },
]
const attributes = [
  { name: 'ecs.availability-zone', value: 'us-east-1a' },
  { name: 'ecs.os-type', value: 'linux' },
  { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' },
  { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.19' },
  { name: 'ecs.capability.execute-command' },
  { name: 'ecs.capability.task-eni' },
  { name: 'com.amazonaws.ecs.capability.task-iam-role' },
]
const plain = { name: 'app', image: 'nginx', memory: 128, cpu: 10 }
const container = { ...plain, portMappings: [{ containerPort: 80 }] }
const logged = [
  { ...plain, name: 'router', firelensConfiguration: { type: 'fluentbit' } },
  { ...plain, logConfiguration: { logDriver: 'awsfirelens' } },
]
const tags = [{ key: 'team', value: 'a' }]
const subnets = { awsvpcConfiguration: { subnets: [existing] } }

const managed = {
  infrastructureRoleArn: 'arn:aws:iam::000000000000:role/some',
  instanceLaunchTemplate: {
    ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/some',
    networkConfiguration: { subnets: ['subnet-0123456789abcdef0'] },
  },
}

const reserved = {
  ...managed,
  instanceLaunchTemplate: {
    ...managed.instanceLaunchTemplate,
    capacityOptionType: 'RESERVED',
    capacityReservations: {
      reservationGroupArn: 'arn:aws:resource-groups:us-east-1:000000000000:group/some',
      reservationPreference: 'RESERVATIONS_ONLY',
    },
  },
}

/** Deployments in steps, whose sizes and waits bear on nothing else. */
const stepped = [
  { strategy: 'LINEAR', linearConfiguration: { stepPercent: 20, stepBakeTimeInMinutes: 1 } },
  { strategy: 'CANARY', canaryConfiguration: { canaryPercent: 20, canaryBakeTimeInMinutes: 1 } },
]

/** By operation; what is a reference names what `prelude` makes. */
export const ecsSamples: Readonly<Record<string, readonly object[]>> = {
  CreateCluster: [
    { clusterName: 'default' },
    { clusterName: 'other' },
    { clusterName: 'third', capacityProviders: ['FARGATE'] },
  ],
  RegisterContainerInstance: [
    { cluster: 'default', totalResources: resources, attributes },
    { cluster: 'other', totalResources: resources, attributes },
  ],
  RegisterTaskDefinition: [
    { family: 'web', containerDefinitions: [container] },
    {
      family: 'web',
      containerDefinitions: [{ ...container, portMappings: [{ containerPort: 80, hostPort: 80 }] }],
    },
    {
      family: 'job',
      taskRoleArn: 'arn:aws:iam::000000000000:role/some',
      containerDefinitions: [container, { ...container, name: 'side', essential: false }],
    },
    {
      family: 'full',
      networkMode: 'awsvpc',
      volumes: [{ name: 'data' }],
      containerDefinitions: [plain, { ...plain, name: 'side', essential: false }],
    },
    {
      family: 'far',
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      containerDefinitions: [{ name: 'app', image: 'nginx' }],
    },
    { family: 'logs', containerDefinitions: logged },
  ],
  StopServiceDeployment: [{ serviceDeploymentArn: existing }],
  ContinueServiceDeployment: [{ serviceDeploymentArn: existing, hookId: 'some' }],
  DescribeTaskSets: [{ cluster: 'default', service: 'ext', taskSets: [existing] }],
  RunTask: [
    {
      cluster: 'default',
      taskDefinition: 'far',
      networkConfiguration: subnets,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    },
    { cluster: 'default', taskDefinition: 'web' },
    { cluster: 'default', taskDefinition: 'job', launchType: 'EC2', count: 3 },
    { cluster: 'default', taskDefinition: 'far', launchType: 'FARGATE', networkConfiguration: subnets },
  ],
  StartTask: [
    { cluster: 'default', taskDefinition: 'job', containerInstances: [existing] },
    {
      cluster: 'default',
      taskDefinition: 'full',
      containerInstances: [existing],
      networkConfiguration: subnets,
    },
  ],
  CreateService: [
    { cluster: 'default', serviceName: 'one', taskDefinition: 'web', desiredCount: 2 },
    {
      cluster: 'default',
      serviceName: 'two',
      taskDefinition: 'job:1',
      launchType: 'EC2',
      desiredCount: 1,
      availabilityZoneRebalancing: 'DISABLED',
    },
    { cluster: 'default', serviceName: 'each', taskDefinition: 'job', schedulingStrategy: 'DAEMON' },
    ...stepped.map((deploymentConfiguration) => ({
      cluster: 'default',
      serviceName: 'stepped',
      taskDefinition: 'job',
      desiredCount: 1,
      deploymentConfiguration,
    })),
    { cluster: 'default', serviceName: 'ext', deploymentController: { type: 'EXTERNAL' }, desiredCount: 1 },
    {
      cluster: 'default',
      serviceName: 'vpc',
      taskDefinition: 'full',
      desiredCount: 1,
      networkConfiguration: subnets,
    },
    {
      cluster: 'default',
      serviceName: 'spot',
      taskDefinition: 'far',
      desiredCount: 1,
      networkConfiguration: subnets,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    },
  ],
  UpdateService: [
    { cluster: 'default', service: 'web', desiredCount: 3 },
    { cluster: 'default', service: 'web', taskDefinition: 'job' },
    { cluster: 'default', service: 'api', forceNewDeployment: true, availabilityZoneRebalancing: 'DISABLED' },
    { cluster: 'default', service: 'far', networkConfiguration: subnets },
    ...stepped.map((deploymentConfiguration) => ({
      cluster: 'default',
      service: 'web',
      deploymentConfiguration,
    })),
    {
      cluster: 'default',
      service: 'far',
      forceNewDeployment: true,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    },
  ],
  UpdateCluster: [{ cluster: 'default' }],
  DescribeClusters: [{ clusters: [existing] }],
  DescribeServices: [{ cluster: 'default', services: [existing] }],
  DescribeTasks: [{ cluster: 'default', tasks: [existing] }],
  DescribeContainerInstances: [{ cluster: 'default', containerInstances: [existing] }],
  DescribeTaskDefinition: [{ taskDefinition: 'web:1' }],
  ListServiceDeployments: [{ cluster: 'default', service: existing }],
  ListTasks: [{ cluster: 'default' }],
  ListAccountSettings: [{ name: 'containerInsights', effectiveSettings: true }],
  DeleteAccountSetting: [{ name: 'containerInsights' }],
  ExecuteCommand: [
    { cluster: 'default', task: existing, command: 'ls', interactive: true, container: 'app' },
  ],
  SubmitAttachmentStateChanges: [{ cluster: 'default', attachments: [] }],
  UntagResource: [{ resourceArn: existing, tagKeys: ['team'] }],
  UpdateContainerAgent: [{ cluster: 'default', containerInstance: existing }],
  DeleteService: [{ cluster: 'default', service: 'web', force: true }],
  UpdateTaskSet: [
    { cluster: 'default', service: 'ext', taskSet: existing, scale: { unit: 'PERCENT', value: 50 } },
  ],
  DeleteTaskSet: [{ cluster: 'default', service: 'ext', taskSet: existing, force: true }],
  UpdateServicePrimaryTaskSet: [{ cluster: 'default', service: 'ext', primaryTaskSet: existing }],
  CreateDaemon: [
    {
      daemonName: 'second',
      daemonTaskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:daemon-task-definition/watch:1',
      clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/default',
      capacityProviderArns: ['arn:aws:ecs:us-east-1:000000000000:capacity-provider/managed'],
    },
  ],
  CreateTaskSet: [
    { cluster: 'default', service: 'ext', taskDefinition: 'job', launchType: 'EC2' },
    { cluster: 'default', service: 'ext', taskDefinition: 'full', networkConfiguration: subnets },
    {
      cluster: 'default',
      service: 'ext',
      taskDefinition: 'far',
      networkConfiguration: subnets,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    },
  ],
  ListServicesByNamespace: [{ namespace: 'internal' }],
  SubmitTaskStateChange: [
    { cluster: 'default', task: existingName, status: 'STOPPED' },
    { cluster: 'default', task: existing, status: 'RUNNING' },
    { cluster: 'default', task: existing, status: 'STOPPED', reason: 'Essential container in task exited' },
  ],
  SubmitContainerStateChange: [
    { cluster: 'default', task: existingName, containerName: 'app', status: 'STOPPED' },
    { cluster: 'default', task: existing, containerName: 'app', status: 'RUNNING', runtimeId: 'abc' },
    { cluster: 'default', task: existing, containerName: 'app', status: 'STOPPED', exitCode: 1 },
  ],
  StopTask: [{ cluster: 'default', task: existing }],
  UpdateTaskProtection: [{ cluster: 'default', tasks: [existing], protectionEnabled: true }],
  GetTaskProtection: [{ cluster: 'default', tasks: [existing] }],
  UpdateContainerInstancesState: [
    { cluster: 'default', containerInstances: [existing], status: 'DRAINING' },
    { cluster: 'default', containerInstances: [existing], status: 'ACTIVE' },
  ],
  DeregisterContainerInstance: [{ cluster: 'default', containerInstance: existing, force: true }],
  UpdateClusterSettings: [
    { cluster: 'default', settings: [{ name: 'containerInsights', value: 'enabled' }] },
  ],
  PutClusterCapacityProviders: [
    { cluster: 'default', capacityProviders: ['FARGATE'], defaultCapacityProviderStrategy: [] },
    { cluster: 'default', capacityProviders: [existing], defaultCapacityProviderStrategy: [] },
  ],
  CreateCapacityProvider: [
    {
      name: 'first',
      autoScalingGroupProvider: {
        autoScalingGroupArn:
          'arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:11111111-2222-3333-4444-555555555555:autoScalingGroupName/own',
      },
    },
    {
      name: 'second',
      cluster: 'default',
      managedInstancesProvider: managed,
    },
    { name: 'third', cluster: 'default', managedInstancesProvider: reserved },
  ],
  UpdateCapacityProvider: [
    { name: 'own', autoScalingGroupProvider: { managedDraining: 'DISABLED' } },
    { name: 'managed', cluster: 'default', managedInstancesProvider: managed },
    { name: 'kept', cluster: 'default', managedInstancesProvider: reserved },
  ],
  DeleteCapacityProvider: [{ capacityProvider: 'own' }],
  DescribeCapacityProviders: [{}, { capacityProviders: ['own'] }],
  UpdateDaemon: [
    {
      daemonArn: existing,
      daemonTaskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:daemon-task-definition/watch:1',
      capacityProviderArns: ['arn:aws:ecs:us-east-1:000000000000:capacity-provider/managed'],
    },
  ],
  DeleteDaemon: [{ daemonArn: existing }],
  DescribeDaemon: [{ daemonArn: existing }],
  ListDaemonDeployments: [{ daemonArn: existing }],
  PutAttributes: [{ cluster: 'default', attributes: [{ name: 'rack', value: '1', targetId: existing }] }],
  DeleteAttributes: [{ cluster: 'default', attributes: [{ name: 'rack', targetId: existing }] }],
  PutAccountSetting: [{ name: 'containerInsights', value: 'enabled' }],
  PutAccountSettingDefault: [
    { name: 'tagResourceAuthorization', value: 'off' },
    { name: 'containerInsights', value: 'enabled' },
  ],
  ListAttributes: [{ cluster: 'default', targetType: 'container-instance' }],
  RegisterDaemonTaskDefinition: [
    { family: 'watch', containerDefinitions: [plain], volumes: [{ name: 'data' }] },
    { family: 'watch', containerDefinitions: logged },
  ],
  TagResource: [{ resourceArn: existing, tags: [{ key: 'team', value: 'a' }] }],
}

/** What every world begins with, once the agents of its instances have connected. */
export const prelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateCluster', { clusterName: 'default', capacityProviders: ['FARGATE', 'FARGATE_SPOT'], tags }],
  ['CreateCluster', { clusterName: 'other' }],
  ...['0', '1', '2'].map((rack): [string, object] => [
    'RegisterContainerInstance',
    {
      cluster: 'default',
      totalResources: resources,
      attributes: [...attributes, { name: 'rack', value: rack }],
      tags,
    },
  ]),
  ...(ecsSamples['RegisterTaskDefinition'] ?? []).map((input): [string, object] => [
    'RegisterTaskDefinition',
    { ...input, tags },
  ]),
]

/** What is then started, in half of the worlds. */
export const running: typeof prelude = [
  ...(ecsSamples['CreateCapacityProvider'] ?? [])
    .slice(0, 2)
    .map((input, index): [string, object] => [
      'CreateCapacityProvider',
      { ...input, name: ['own', 'managed', 'kept'][index], tags },
    ]),
  [
    'PutClusterCapacityProviders',
    {
      cluster: 'default',
      capacityProviders: ['FARGATE', 'FARGATE_SPOT', 'own', 'managed'],
      defaultCapacityProviderStrategy: [],
    },
  ],
  ['CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 2, tags }],
  ['CreateService', { serviceName: 'api', taskDefinition: 'web', desiredCount: 1 }],
  ['CreateService', { serviceName: 'ext', deploymentController: { type: 'EXTERNAL' }, desiredCount: 1 }],
  ['CreateTaskSet', { ...ecsSamples['CreateTaskSet']?.[0], scale: { unit: 'PERCENT', value: 50 }, tags }],
  [
    'CreateService',
    {
      serviceName: 'far',
      taskDefinition: 'far',
      launchType: 'FARGATE',
      desiredCount: 1,
      networkConfiguration: subnets,
    },
  ],
  ['RunTask', { taskDefinition: 'job', count: 3, tags, enableExecuteCommand: true }],
  ['RegisterDaemonTaskDefinition', { ...ecsSamples['RegisterDaemonTaskDefinition']?.[0], tags }],
  ['CreateDaemon', { ...ecsSamples['CreateDaemon']?.[0], daemonName: 'watch' }],
]
