import { scopeKey } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { AccessKey, Idempotency, InstallationSecret } from '#domain/identity.ts'
import type { Image, Layer, Repository } from '#domain/image.ts'
import type { Instance, SecurityGroup, Subnet, Vpc } from '#domain/instance.ts'
import type { Deployment, Service, ServiceEvent } from '#domain/service.ts'
import type { AccountSetting, ResourceTags } from '#domain/tags.ts'
import type { TaskDefinition, TaskDefinitionFamily } from '#domain/task-definition.ts'
import type { Task } from '#domain/task.ts'

/** Everything the control plane knows: a table a kind of thing, a row a thing. */
export interface Tables {
  accessKey: AccessKey
  accountSetting: AccountSetting
  cluster: Cluster
  containerInstance: ContainerInstance
  deployment: Deployment
  idempotency: Idempotency
  image: Image
  installationSecret: InstallationSecret
  instance: Instance
  layer: Layer
  repository: Repository
  resourceTags: ResourceTags
  securityGroup: SecurityGroup
  service: Service
  serviceEvent: ServiceEvent
  subnet: Subnet
  task: Task
  taskDefinition: TaskDefinition
  taskDefinitionFamily: TaskDefinitionFamily
  vpc: Vpc
}
export type TableName = keyof Tables

type IndexKey = string | readonly string[] | undefined
interface Table<Row> {
  readonly key: (row: Row) => string
  /** What rows are found by; a row is in an index under each key the function gives, or not at all. */
  readonly indexes: Readonly<Record<string, (row: Row) => IndexKey>>
  /** Brings a row written by an older version one version on. The table's version is their number + 1. */
  readonly migrations: ReadonlyArray<(row: never) => unknown>
}

const define =
  <Row>() =>
  <const T extends Omit<Table<Row>, 'migrations'>>(
    table: T,
    ...migrations: Table<Row>['migrations']
  ): T & {
    readonly migrations: Table<Row>['migrations']
  } => ({ ...table, migrations })

/** The name of a family within its scope. */
export function familyKey(row: { accountId: string; region: string; family: string }): string {
  return `${scopeKey(row)}/${row.family}`
}

/** The hour a time lies in, as the indexes for the reaper know it. */
export function hourOf(timeMs: number): string {
  return String(Math.floor(timeMs / 3_600_000))
}

const familyOf = (taskDefinitionArn: string): string =>
  taskDefinitionArn.slice(taskDefinitionArn.indexOf('/') + 1, taskDefinitionArn.lastIndexOf(':'))

export const tables = {
  accessKey: define<AccessKey>()({
    key: (row) => row.accessKeyId,
    indexes: { principal: (row) => row.principalArn },
  }),
  accountSetting: define<AccountSetting>()({
    key: (row) => `${row.scope} ${row.principalArn} ${row.name}`,
    indexes: { scope: (row) => row.scope },
  }),
  cluster: define<Cluster>()({ key: (row) => row.clusterArn, indexes: { scope: scopeKey } }),
  containerInstance: define<ContainerInstance>()({
    key: (row) => row.containerInstanceArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      ec2Instance: (row) => row.ec2InstanceId,
      clientToken: (row) => row.clientToken,
      /** Deregistered ones by the hour in which they became INACTIVE, for the reaper. */
      inactiveHour: (row) => (row.inactiveAt === undefined ? undefined : hourOf(row.inactiveAt)),
    },
  }),
  deployment: define<Deployment>()({
    key: (row) => row.deploymentId,
    indexes: { service: (row) => row.serviceArn, taskDefinition: (row) => row.taskDefinitionArn },
  }),
  idempotency: define<Idempotency>()({
    key: (row) => row.key,
    indexes: { expiryHour: (row) => hourOf(row.expiresAt) },
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
  repository: define<Repository>()({ key: (row) => row.repositoryArn, indexes: { scope: scopeKey } }),
  resourceTags: define<ResourceTags>()({ key: (row) => row.resourceArn, indexes: {} }),
  securityGroup: define<SecurityGroup>()({
    key: (row) => row.groupId,
    indexes: { scope: scopeKey, vpc: (row) => row.vpcId },
  }),
  service: define<Service>()({
    key: (row) => row.serviceArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      taskDefinition: (row) => row.taskDefinitionArn,
      /** Deleted services by the hour in which they became INACTIVE, for the reaper. */
      inactiveHour: (row) => (row.inactiveAt === undefined ? undefined : hourOf(row.inactiveAt)),
    },
  }),
  serviceEvent: define<ServiceEvent>()({
    key: (row) => `${row.serviceArn}/${row.sequence}`,
    indexes: { service: (row) => row.serviceArn },
  }),
  subnet: define<Subnet>()({
    key: (row) => row.subnetId,
    indexes: { scope: scopeKey, vpc: (row) => row.vpcId },
  }),
  task: define<Task>()({
    key: (row) => row.taskArn,
    indexes: {
      cluster: (row) => row.clusterArn,
      /** By what they were last seen to be, to count a cluster's running and pending tasks. */
      last: (row) => `${row.clusterArn} ${row.lastStatus}`,
      /** By what is asked of them, so that a list of RUNNING tasks does not walk the stopped ones. */
      desired: (row) => `${row.clusterArn} ${row.desiredStatus}`,
      /** The tasks on an instance, stopped ones left out: they hold nothing there. */
      containerInstance: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.containerInstanceArn),
      /** The tasks of a service or deployment that are not STOPPED yet. */
      service: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.serviceArn),
      deployment: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.deploymentId),
      /** The tasks of a revision that are not STOPPED: while there are any, it stays. */
      taskDefinition: (row) => (row.lastStatus === 'STOPPED' ? undefined : row.taskDefinitionArn),
      startedBy: (row) => (row.startedBy === undefined ? undefined : `${row.clusterArn} ${row.startedBy}`),
      family: (row) => `${row.clusterArn} ${familyOf(row.taskDefinitionArn)}`,
      /** Running standalone tasks and service tasks by group, for spread, distinctInstance and task:group. */
      group: (row) => (row.desiredStatus === 'STOPPED' ? undefined : `${row.clusterArn} ${row.group}`),
      /** Stopped tasks by the hour in which they stopped, for the reaper. */
      stoppedHour: (row) => (row.stoppedAt === undefined ? undefined : hourOf(row.stoppedAt)),
      /** A service's stopped tasks from whose end the scheduler has not drawn its conclusions yet. */
      unaccounted: (row) =>
        row.lastStatus === 'STOPPED' && row.accounted === undefined ? row.serviceArn : undefined,
    },
  }),
  taskDefinition: define<TaskDefinition>()({
    key: (row) => row.taskDefinitionArn,
    indexes: {
      family: familyKey,
      scope: scopeKey,
      /** All that are to be forgotten once nothing refers to them. */
      deleting: (row) => (row.status === 'DELETE_IN_PROGRESS' ? 'all' : undefined),
    },
  }),
  taskDefinitionFamily: define<TaskDefinitionFamily>()({ key: familyKey, indexes: { scope: scopeKey } }),
  vpc: define<Vpc>()({ key: (row) => row.vpcId, indexes: { scope: scopeKey } }),
}

const complete: { readonly [T in TableName]: Table<Tables[T]> } = tables

export type IndexName<T extends TableName> = keyof (typeof tables)[T]['indexes'] & string
export const tableNames = Object.keys(complete) as TableName[]
