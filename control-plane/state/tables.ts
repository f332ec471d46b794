import { arnName, scopeKey } from '#domain/arn.ts'
import { type CapacityProvider, isBuiltInProvider } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { DaemonTaskDefinition, DaemonTaskDefinitionFamily } from '#domain/daemon-task-definition.ts'
import type { Daemon, DaemonDeployment, DaemonRevision } from '#domain/daemon.ts'
import type { IamGroup, IamPolicy, IamRole, IamUser, InstanceProfile } from '#domain/iam/entities.ts'
import { fargateHostKey, fargateStanding, fargateZoneKey } from '#domain/fargate.ts'
import type { AccessKey, Idempotency, InstallationSecret, JoinToken } from '#domain/identity.ts'
import type { Image, Layer, Repository } from '#domain/image.ts'
import type { Instance, SecurityGroup, Subnet, Vpc } from '#domain/instance.ts'
import type { Parameter, ParameterVersion } from '#domain/parameter.ts'
import type { LogGroup, LogResourcePolicy } from '#domain/logs/log-group.ts'
import { lacksInterface, type NetworkInterface } from '#domain/network-interface.ts'
import type { Rule, RuleTarget } from '#domain/schedule/rule.ts'
import type { Schedule, ScheduleGroup } from '#domain/schedule/schedule.ts'
import type { Secret, SecretVersion } from '#domain/secret.ts'
import type { Deployment, Service, ServiceEvent } from '#domain/service.ts'
import { isFinished, type ServiceDeployment, type ServiceRevision } from '#domain/service-deployment.ts'
import type { AccountSetting, ResourceTags } from '#domain/tags.ts'
import type { TaskDefinition, TaskDefinitionFamily } from '#domain/task-definition.ts'
import type { TaskSet } from '#domain/task-set.ts'
import type { Task } from '#domain/task.ts'
import type { InternetGateway, RouteTable } from '#domain/vpc-routing.ts'
import { define, hourOf, type Table } from './table.ts'
import { iamTables } from './tables-iam.ts'
import { logTables } from './tables-logs.ts'
import { networkTables } from './tables-network.ts'
import { secretTables } from './tables-secrets.ts'

/** Everything the control plane knows: a table a kind of thing, a row a thing. */
export interface Tables {
  accessKey: AccessKey
  accountSetting: AccountSetting
  capacityProvider: CapacityProvider
  cluster: Cluster
  containerInstance: ContainerInstance
  daemon: Daemon
  daemonDeployment: DaemonDeployment
  daemonRevision: DaemonRevision
  daemonTaskDefinition: DaemonTaskDefinition
  daemonTaskDefinitionFamily: DaemonTaskDefinitionFamily
  deployment: Deployment
  iamGroup: IamGroup
  iamPolicy: IamPolicy
  iamRole: IamRole
  iamUser: IamUser
  idempotency: Idempotency
  image: Image
  installationSecret: InstallationSecret
  instance: Instance
  instanceProfile: InstanceProfile
  internetGateway: InternetGateway
  joinToken: JoinToken
  layer: Layer
  logGroup: LogGroup
  logResourcePolicy: LogResourcePolicy
  networkInterface: NetworkInterface
  parameter: Parameter
  parameterVersion: ParameterVersion
  repository: Repository
  resourceTags: ResourceTags
  rule: Rule
  routeTable: RouteTable
  ruleTarget: RuleTarget
  schedule: Schedule
  scheduleGroup: ScheduleGroup
  secret: Secret
  secretVersion: SecretVersion
  securityGroup: SecurityGroup
  service: Service
  serviceDeployment: ServiceDeployment
  serviceEvent: ServiceEvent
  serviceRevision: ServiceRevision
  subnet: Subnet
  task: Task
  taskDefinition: TaskDefinition
  taskDefinitionFamily: TaskDefinitionFamily
  taskSet: TaskSet
  vpc: Vpc
}
export type TableName = keyof Tables

/** The name of a family within its scope. */
export function familyKey(row: { accountId: string; region: string; family: string }): string {
  return `${scopeKey(row)}/${row.family}`
}

const familyOf = (taskDefinitionArn: string): string =>
  taskDefinitionArn.slice(taskDefinitionArn.indexOf('/') + 1, taskDefinitionArn.lastIndexOf(':'))

/** The key of the tasks of a cluster of which that is asked: of all, or of those with one value of a filter. */
export function listedTasksKey(
  { clusterArn, desiredStatus }: { readonly clusterArn: string; readonly desiredStatus: string },
  filter?: 'family' | 'group' | 'launchType' | 'startedBy' | 'containerInstance',
  value?: string,
): string {
  return filter === undefined
    ? `${clusterArn} ${desiredStatus}`
    : `${clusterArn} ${desiredStatus} ${filter} ${value}`
}

function listedTasksKeys(row: Task): readonly string[] {
  const { startedBy, containerInstanceArn } = row
  const keys = [
    listedTasksKey(row),
    listedTasksKey(row, 'family', familyOf(row.taskDefinitionArn)),
    listedTasksKey(row, 'launchType', row.launchType),
  ]
  if (startedBy !== undefined) keys.push(listedTasksKey(row, 'startedBy', startedBy))
  if (containerInstanceArn !== undefined)
    keys.push(listedTasksKey(row, 'containerInstance', containerInstanceArn))
  // Only services and daemons are asked for by their groups.
  if ((row.serviceArn ?? row.daemonArn) !== undefined) keys.push(listedTasksKey(row, 'group', row.group))
  return keys
}

/** How a service is counted: by its launch type, or by what its providers are. */
function serviceLaunchType({ launchType, capacityProviderStrategy: [first] = [] }: Service): string {
  if (first) return isBuiltInProvider(first.capacityProvider ?? '') ? 'FARGATE' : 'EC2'
  return launchType ?? 'EC2'
}

export const tables = {
  accessKey: define<AccessKey>()({
    key: (row) => row.accessKeyId,
    indexes: { principal: (row) => row.principalArn },
  }),
  accountSetting: define<AccountSetting>()({
    key: (row) => `${row.scope} ${row.principalArn} ${row.name}`,
    indexes: { scope: (row) => row.scope },
  }),
  capacityProvider: define<CapacityProvider>()({
    key: (row) => row.capacityProviderArn,
    indexes: {
      scope: scopeKey,
      /** Those of managed instances that are not deleted, by their cluster. */
      cluster: (row) => (row.status === 'INACTIVE' ? undefined : row.clusterArn),
      /** Deleted ones by the hour in which they became INACTIVE, for the reaper. */
      inactiveHour: (row) => (row.inactiveAt === undefined ? undefined : hourOf(row.inactiveAt)),
    },
  }),
  cluster: define<Cluster>()({
    key: (row) => row.clusterArn,
    indexes: {
      scope: scopeKey,
      /** The clusters that are not deleted, by each capacity provider associated with them. */
      capacityProvider: (row) =>
        row.status === 'INACTIVE'
          ? undefined
          : row.capacityProviders.map((name) => `${scopeKey(row)}/${name}`),
    },
  }),
  containerInstance: define<ContainerInstance>()({
    key: (row) => row.containerInstanceArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      /** By status, to count those that are registered. */
      status: (row) => `${row.clusterArn} ${row.status}`,
      ec2Instance: (row) => row.ec2InstanceId,
      clientToken: (row) => row.clientToken,
      /** Those of a capacity provider that are not INACTIVE. */
      capacityProvider: (row) =>
        row.status === 'INACTIVE' || row.capacityProviderName === undefined
          ? undefined
          : `${row.clusterArn} ${row.capacityProviderName}`,
      /** Deregistered ones by the hour in which they became INACTIVE, for the reaper. */
      inactiveHour: (row) => (row.inactiveAt === undefined ? undefined : hourOf(row.inactiveAt)),
    },
  }),
  daemon: define<Daemon>()({
    key: (row) => row.daemonArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      /** By each of its capacity providers, so that an instance finds its daemons. */
      capacityProvider: (row) => row.capacityProviderArns.map((arn) => `${row.clusterArn} ${arnName(arn)}`),
    },
  }),
  daemonDeployment: define<DaemonDeployment>()({
    key: (row) => row.daemonDeploymentArn,
    indexes: {
      daemon: (row) => row.daemonArn,
      /** Those that a newer one takes over from, by their daemon. */
      stopping: (row) => (row.status === 'STOP_REQUESTED' ? row.daemonArn : undefined),
      /** What is over by the hour in which it ended, for the reaper. */
      finishedHour: (row) => (row.finishedAt === undefined ? undefined : hourOf(row.finishedAt)),
    },
  }),
  daemonRevision: define<DaemonRevision>()({
    key: (row) => row.daemonRevisionArn,
    indexes: { daemon: (row) => row.daemonArn, taskDefinition: (row) => row.daemonTaskDefinitionArn },
  }),
  daemonTaskDefinition: define<DaemonTaskDefinition>()({
    key: (row) => row.daemonTaskDefinitionArn,
    indexes: {
      family: familyKey,
      scope: scopeKey,
      /** All that become DELETED once nothing refers to them. */
      deleting: (row) => (row.status === 'DELETE_IN_PROGRESS' ? 'all' : undefined),
      /** DELETED ones by the hour in which they became so, for the reaper. */
      deletedHour: (row) => (row.deletedAt === undefined ? undefined : hourOf(row.deletedAt)),
    },
  }),
  daemonTaskDefinitionFamily: define<DaemonTaskDefinitionFamily>()({ key: familyKey, indexes: {} }),
  deployment: define<Deployment>()({
    key: (row) => row.deploymentId,
    indexes: { service: (row) => row.serviceArn, taskDefinition: (row) => row.taskDefinitionArn },
  }),
  ...iamTables,
  ...logTables,
  ...networkTables,
  idempotency: define<Idempotency>()({
    key: (row) => row.key,
    indexes: { expiryHour: (row) => hourOf(row.reviewAt ?? row.expiresAt) },
  }),
  image: define<Image>()({
    key: (row) => `${row.repositoryArn}@${row.imageDigest}`,
    indexes: {
      repository: (row) => row.repositoryArn,
      tag: (row) => row.tags.map((tag) => `${row.repositoryArn}:${tag}`),
      subject: (row) => (row.subject === undefined ? undefined : `${row.repositoryArn}@${row.subject}`),
      blob: (row) => row.blobs,
    },
  }),
  installationSecret: define<InstallationSecret>()({ key: (row) => row.name, indexes: {} }),
  instance: define<Instance>()({
    key: (row) => row.instanceId,
    indexes: {
      scope: scopeKey,
      subnet: (row) => row.subnetId,
      reservation: (row) => row.reservationId,
      /** By each of its security groups, while it has an address. */
      group: (row) => (row.state === 'terminated' ? undefined : row.securityGroupIds),
      /** All hosts of Fargate that are not terminated, and those that could not be started. */
      fargate: fargateHostKey,
      /** By private address, while it holds it: instances of all accounts and regions share one network. */
      address: (row) => (row.state === 'terminated' ? undefined : row.privateIpAddress),
      clientToken: (row) =>
        row.clientToken === undefined ? undefined : `${scopeKey(row)}/${row.clientToken}`,
    },
  }),
  layer: define<Layer>()({
    key: (row) => `${row.repositoryArn}@${row.digest}`,
    indexes: { repository: (row) => row.repositoryArn, digest: (row) => row.digest },
  }),
  ...secretTables,
  repository: define<Repository>()({ key: (row) => row.repositoryArn, indexes: { scope: scopeKey } }),
  resourceTags: define<ResourceTags>()({ key: (row) => row.resourceArn, indexes: {} }),
  rule: define<Rule>()({
    key: (row) => row.ruleArn,
    indexes: {
      scope: scopeKey,
      /** All that will fire. */
      waiting: (row) => (row.next ? 'all' : undefined),
    },
  }),
  ruleTarget: define<RuleTarget>()({
    key: (row) => `${row.ruleArn} ${row.id}`,
    indexes: { rule: (row) => row.ruleArn, arn: (row) => row.arn },
  }),
  schedule: define<Schedule>()({
    key: (row) => row.scheduleArn,
    indexes: {
      scope: scopeKey,
      group: (row) => `${scopeKey(row)}/${row.groupName}`,
      /** All that will run. */
      waiting: (row) => (row.next ? 'all' : undefined),
    },
  }),
  scheduleGroup: define<ScheduleGroup>()({
    key: (row) => row.scheduleGroupArn,
    indexes: { scope: scopeKey },
  }),
  service: define<Service>()({
    key: (row) => row.serviceArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      /** Those with a task on each instance, which every new instance concerns. */
      daemon: (row) =>
        row.schedulingStrategy === 'DAEMON' && row.status === 'ACTIVE' ? row.clusterArn : undefined,
      /** By status, and by status and launch type, to count a cluster's services. */
      status: (row) => [
        `${row.clusterArn} ${row.status}`,
        `${row.clusterArn} ${row.status} ${serviceLaunchType(row)}`,
      ],
      /** Those that are not deleted, by each capacity provider of their strategy. */
      capacityProvider: (row) =>
        row.status === 'INACTIVE'
          ? undefined
          : row.capacityProviderStrategy?.map((item) => `${row.clusterArn} ${item.capacityProvider}`),
      taskDefinition: (row) => row.taskDefinitionArn,
      /** Deleted services by the hour in which they became INACTIVE, for the reaper. */
      inactiveHour: (row) => (row.inactiveAt === undefined ? undefined : hourOf(row.inactiveAt)),
    },
  }),
  serviceDeployment: define<ServiceDeployment>()({
    key: (row) => row.serviceDeploymentArn,
    indexes: {
      service: (row) => row.serviceArn,
      /** Those that have not finished, by service. */
      unfinished: (row) => (isFinished(row) ? undefined : row.serviceArn),
      /** All that have not finished and shift traffic. */
      staged: (row) => (row.lifecycle && !isFinished(row) ? 'all' : undefined),
      /** By each revision they name, which stays as long as one of them does. */
      revision: (row) => [
        row.targetServiceRevisionArn,
        ...row.sourceServiceRevisionArns,
        ...(row.rollback?.serviceRevisionArn === undefined ? [] : [row.rollback.serviceRevisionArn]),
      ],
      /** By the hour in which they finished, for the reaper. */
      finishedHour: (row) => (row.finishedAt === undefined ? undefined : hourOf(row.finishedAt)),
    },
  }),
  serviceEvent: define<ServiceEvent>()({
    key: (row) => `${row.serviceArn}/${row.sequence}`,
    indexes: { service: (row) => row.serviceArn },
  }),
  serviceRevision: define<ServiceRevision>()({
    key: (row) => row.serviceRevisionArn,
    indexes: { service: (row) => row.serviceArn },
  }),
  task: define<Task>()({
    key: (row) => row.taskArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      /** By what they were last seen to be, to count a cluster's running and pending tasks. */
      last: (row) => `${row.clusterArn} ${row.lastStatus}`,
      /** The same of those that are not STOPPED by launch type too, for a cluster's statistics. */
      lastByLaunchType: (row) =>
        row.lastStatus === 'STOPPED' ? undefined : `${row.clusterArn} ${row.lastStatus} ${row.launchType}`,
      /** Those on a capacity provider that are not STOPPED: while there are any, it stays associated. */
      capacityProvider: (row) =>
        row.lastStatus === 'STOPPED' || row.capacityProviderName === undefined
          ? undefined
          : `${row.clusterArn} ${row.capacityProviderName}`,
      /**
       * By what is asked of them and each thing that ListTasks filters by, so that a page of tasks costs no more than
       * the tasks that one of its filters leaves.
       */
      listed: listedTasksKeys,
      /** Fargate tasks that wait for a host, those that are to leave theirs, and Spot tasks that have one and stay. */
      fargate: fargateStanding,
      /** Fargate tasks of a group that are to run, by zone: they are spread over zones. */
      fargateZone: (row) =>
        row.launchType === 'FARGATE' && row.desiredStatus === 'RUNNING'
          ? fargateZoneKey(row, row.availabilityZone ?? '')
          : undefined,
      /** The tasks on an instance, stopped ones left out: they hold nothing there. */
      containerInstance: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.containerInstanceArn),
      /** The tasks of a service or deployment that are not STOPPED yet. */
      service: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.serviceArn),
      deployment: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.deploymentId),
      /** The same of a managed daemon. */
      daemon: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.daemonArn),
      /** A service's tasks that were ever protected and have not STOPPED. */
      protected: (row) =>
        row.lastStatus === 'STOPPED' || row.protectedUntil === undefined ? undefined : row.serviceArn,
      /** The tasks of a revision that are not STOPPED: while there are any, it stays. */
      taskDefinition: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.taskDefinitionArn),
      /** Running standalone tasks and service tasks by group, for spread, distinctInstance and task:group. */
      group: (row) => (row.desiredStatus === 'STOPPED' ? undefined : `${row.clusterArn} ${row.group}`),
      /** All that are to have a network interface and have none yet. */
      lacksInterface: (row) => (row.lastStatus !== 'STOPPED' && lacksInterface(row) ? 'all' : undefined),
      /** Stopped tasks by the hour in which they stopped, for the reaper. */
      stoppedHour: (row) => (row.stoppedAt === undefined ? undefined : hourOf(row.stoppedAt)),
      /** A service's or daemon's stopped tasks from whose end its scheduler has not drawn its conclusions yet. */
      unaccounted: (row) =>
        row.lastStatus === 'STOPPED' && row.accounted === undefined
          ? (row.serviceArn ?? row.daemonArn)
          : undefined,
    },
  }),
  taskDefinition: define<TaskDefinition>()({
    key: (row) => row.taskDefinitionArn,
    indexes: {
      /**
       * By family and status, the oldest revision first. What stands for a daemon task definition is in no list of
       * task definitions.
       */
      familyStatus: (row) => (row.daemon ? undefined : `${familyKey(row)} ${row.status}`),
      /** All that are to be forgotten once nothing refers to them. */
      deleting: (row) => (row.status === 'DELETE_IN_PROGRESS' ? 'all' : undefined),
    },
  }),
  taskDefinitionFamily: define<TaskDefinitionFamily>()({ key: familyKey, indexes: { scope: scopeKey } }),
  taskSet: define<TaskSet>()({
    key: (row) => row.taskSetArn,
    indexes: {
      service: (row) => row.serviceArn,
      taskDefinition: (row) => row.taskDefinitionArn,
      capacityProvider: (row) =>
        row.capacityProviderStrategy?.map((item) => `${row.clusterArn} ${item.capacityProvider}`),
    },
  }),
}

const complete: { readonly [T in TableName]: Table<Tables[T]> } = tables

export type IndexName<T extends TableName> = keyof (typeof tables)[T]['indexes'] & string
export const tableNames = Object.keys(complete) as TableName[]
