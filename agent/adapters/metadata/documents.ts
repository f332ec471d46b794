/**
 * What containers are shown of their task, with the members, types and omissions of the official agent.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-response.html
 */
import { createBody } from '#engine/container-spec.ts'
import { knownStatus } from '#engine/report.ts'
import { pauseContainerName, sandboxName } from '#engine/sandbox.ts'
import { containerPayload } from '#engine/task-plan.ts'
import {
  type ContainerRecord,
  type ContainerState,
  parseDockerConfig,
  type TaskRecord,
} from '#engine/task-record.ts'
import type { InspectedContainer } from '#adapters/docker-shapes.ts'
import { goTime } from './answer.ts'
import { type MetadataSource, taskInterface } from './source.ts'

/** Versions 2 and 3 show the same. */
export type Version = 'v2' | 'v3' | 'v4'

/** Docker gives containers no fewer shares, whatever the definition says. */
const cpuSharesMin = 2

export async function containerDocument(
  source: MetadataSource,
  record: TaskRecord,
  container: ContainerRecord,
  version: Version,
): Promise<object> {
  const { runtimeId } = container
  // A container that Docker has no more, or a Docker that is away, is shown as the agent remembers it.
  const inspected =
    runtimeId === undefined ? undefined : await source.docker.inspectRaw(runtimeId).catch(() => undefined)
  const payload = containerPayload(record, container.name)
  const v4 = version === 'v4'
  return {
    DockerId: runtimeId ?? '',
    Name: container.name,
    DockerName: container.dockerName,
    Image: payload.image,
    ImageID: inspected?.Image ?? container.imageId ?? '',
    Ports: portsOf(record, container, inspected, v4),
    Labels: inspected?.Config.Labels ?? labelsOf(source, record, container.name),
    DesiredStatus: record.desiredStatus,
    KnownStatus: container.state,
    ExitCode: container.state === 'STOPPED' ? container.exitCode : undefined,
    Limits: { CPU: Math.max(payload.cpu, cpuSharesMin), Memory: payload.memory },
    CreatedAt: dockerTime(inspected?.Created) ?? goTime(container.createdAt),
    StartedAt: dockerTime(inspected?.State.StartedAt) ?? goTime(container.startedAt),
    FinishedAt:
      container.state === 'STOPPED'
        ? (dockerTime(inspected?.State.FinishedAt) ?? goTime(container.finishedAt))
        : undefined,
    Type: 'NORMAL',
    Health: payload.healthCheckType === 'docker' ? healthOf(container, inspected) : undefined,
    Volumes: volumesOf(inspected),
    ...(v4 && { ...logOf(source, record, container.name), ContainerARN: payload.containerArn }),
    Networks: networksOf(record, inspected, v4),
    ...(v4 && payload.restartPolicy?.enabled && { RestartCount: container.restarts?.count ?? 0 }),
    ...(v4 && record.task.launchType === 'FARGATE' && { Snapshotter: 'overlayfs' }),
  }
}

/** The container that holds the network of a task with one of its own; Fargate does not show it. */
async function pauseDocument(
  source: MetadataSource,
  record: TaskRecord,
  version: Version,
): Promise<object | undefined> {
  if (!taskInterface(record)) return undefined
  const inspected = await source.docker.inspectRaw(sandboxName(record.task)).catch(() => undefined)
  if (!inspected) return undefined
  const running = inspected.State.Status === 'running'
  return {
    DockerId: inspected.Id,
    Name: pauseContainerName,
    DockerName: sandboxName(record.task),
    Image: inspected.Config.Image,
    ImageID: inspected.Image,
    Labels: inspected.Config.Labels ?? undefined,
    DesiredStatus: record.desiredStatus === 'STOPPED' ? 'STOPPED' : 'RESOURCES_PROVISIONED',
    KnownStatus: running ? 'RESOURCES_PROVISIONED' : 'STOPPED',
    Limits: { CPU: cpuSharesMin, Memory: 0 },
    CreatedAt: dockerTime(inspected.Created),
    StartedAt: dockerTime(inspected.State.StartedAt),
    Type: 'CNI_PAUSE',
    Networks: networksOf(record, inspected, version === 'v4'),
  }
}

/** Docker writes the year 1 for what has not happened. */
function dockerTime(text: string | undefined): string | undefined {
  return text === undefined || text.startsWith('0001') ? undefined : text
}

function labelsOf(source: MetadataSource, record: TaskRecord, name: string): object {
  const { cluster, region } = source
  return createBody(record, name, { cluster, region, taskCpuMemoryLimit: false }).Labels
}

/** Docker's own bindings; of a container that has ended, those it had. */
function portsOf(
  record: TaskRecord,
  { hostPorts }: ContainerRecord,
  inspected: InspectedContainer | undefined,
  withAddress: boolean,
): readonly object[] | undefined {
  if (!hostPorts.length || taskInterface(record)) return undefined
  return hostPorts.flatMap(({ containerPort, hostPort, protocol }) => {
    const bindings = inspected?.NetworkSettings?.Ports?.[`${containerPort}/${protocol}`] ?? []
    const addresses = bindings
      .filter(({ HostPort }) => HostPort === String(hostPort))
      .map(({ HostIp }) => HostIp)
    return (addresses.length ? addresses : ['0.0.0.0', '::']).map((HostIp) => ({
      ContainerPort: containerPort,
      Protocol: protocol,
      HostPort: hostPort,
      ...(withAddress && { HostIp }),
    }))
  })
}

/** Empty while nothing is known. */
function healthOf({ health }: ContainerRecord, inspected: InspectedContainer | undefined): object {
  if (!health || health.status === 'UNKNOWN') return {}
  const exitCode = inspected?.State.Health?.Log?.at(-1)?.ExitCode
  return {
    status: health.status,
    statusSince: goTime(health.since),
    ...(exitCode && { exitCode }),
    ...(health.output && { output: health.output }),
  }
}

function volumesOf(inspected: InspectedContainer | undefined): readonly object[] | undefined {
  const mounts = inspected?.Mounts ?? []
  if (!mounts.length) return undefined
  return mounts.map(({ Name, Source, Destination }) => ({
    DockerName: Name || undefined,
    Source,
    Destination,
  }))
}

/**
 * The log configuration of the task definition: what resources add (credentials, secrets) is not in the record, and where
 * Berth's own logs are is left out as well.
 */
function logOf(source: MetadataSource, record: TaskRecord, name: string): object {
  const { hostConfig } = parseDockerConfig(containerPayload(record, name))
  const { Type, Config = {} } = (hostConfig['LogConfig'] ?? {}) as {
    readonly Type?: string
    readonly Config?: Readonly<Record<string, string>>
  }
  const options = Object.entries(Config).filter(
    ([key, value]) => !(key === 'awslogs-endpoint' && source.api.isOwnEndpoint(value)),
  )
  return { LogDriver: Type, LogOptions: options.length ? Object.fromEntries(options) : undefined }
}

function networksOf(
  record: TaskRecord,
  inspected: InspectedContainer | undefined,
  v4: boolean,
): readonly object[] | undefined {
  const eni = taskInterface(record)
  if (eni) {
    const ipv6 = eni.ipv6Addresses?.map(({ address }) => address) ?? []
    return [
      {
        NetworkMode: 'awsvpc',
        IPv4Addresses: eni.ipv4Addresses?.map(({ privateAddress }) => privateAddress) ?? [],
        ...(ipv6.length > 0 && { IPv6Addresses: ipv6 }),
        ...(v4 && {
          AttachmentIndex: 0,
          MACAddress: eni.macAddress,
          IPv4SubnetCIDRBlock: eni.subnetGatewayIpv4Address && subnetOf(eni.subnetGatewayIpv4Address),
          DomainNameServers: eni.domainNameServers?.length ? eni.domainNameServers : undefined,
          DomainNameSearchList: eni.domainName?.length ? eni.domainName : undefined,
          PrivateDNSName: eni.privateDnsName || undefined,
          SubnetGatewayIpv4Address: eni.subnetGatewayIpv4Address,
        }),
      },
    ]
  }
  if (!inspected) return undefined
  const { NetworkSettings: settings, HostConfig: host } = inspected
  const networks = Object.entries(settings?.Networks ?? {})
  // One that has ended has a network and no address in it, which is shown as an empty one.
  if (!networks.length)
    return [{ NetworkMode: host?.NetworkMode || undefined, IPv4Addresses: [settings?.IPAddress ?? ''] }]
  return networks.map(([NetworkMode, network]) => ({
    NetworkMode,
    IPv4Addresses: [network?.IPAddress ?? ''],
  }))
}

/** `10.0.0.0/24` of the gateway `10.0.0.1/24`. */
function subnetOf(gateway: string): string {
  const [address = '', length = '32'] = gateway.split('/')
  const bits = address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0)
  const size = 2 ** (32 - Number(length))
  const first = Math.floor(bits / size) * size
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${length}`
}

/** What tags there are, and why some could not be had; only version 4 says why. */
interface Tags {
  readonly TaskTags?: Readonly<Record<string, string>>
  readonly ContainerInstanceTags?: Readonly<Record<string, string>>
  readonly Errors?: readonly object[]
}

export async function taskDocument(
  source: MetadataSource,
  record: TaskRecord,
  version: Version,
  tagsFor?: ContainerRecord,
): Promise<object> {
  const { task } = record
  const v4 = version === 'v4'
  const onFargate = task.launchType === 'FARGATE'
  const { Errors, ...tags } = tagsFor ? await tagsOf(source, record, tagsFor) : ({} satisfies Tags as Tags)
  const shown = record.containers.filter(
    ({ runtimeId, state }) => runtimeId !== undefined || (v4 && state === 'PULLED'),
  )
  const pause = onFargate ? undefined : await pauseDocument(source, record, version)
  const containers = [
    ...(await Promise.all(shown.map((container) => containerDocument(source, record, container, version)))),
    ...(pause ? [pause] : []),
  ]
  const limits = { CPU: task.cpu || undefined, Memory: task.memory || undefined }
  return {
    Cluster: onFargate ? task.taskClusterArn : source.cluster,
    TaskARN: task.arn,
    Family: task.family ?? '',
    Revision: task.version ?? '',
    DesiredStatus: record.desiredStatus,
    KnownStatus: taskStatus(record),
    Limits: limits.CPU === undefined && limits.Memory === undefined ? undefined : limits,
    PullStartedAt: goTime(record.pullStartedAt),
    PullStoppedAt: goTime(record.pullStoppedAt),
    ExecutionStoppedAt: goTime(record.executionStoppedAt),
    AvailabilityZone:
      task.availabilityZone ?? source.location.availabilityZone ?? source.agent.identity().availabilityZone,
    ...tags,
    ...(v4 && { LaunchType: task.launchType, Errors }),
    Containers: containers.length ? containers : undefined,
    ...(v4 && {
      VPCID: onFargate ? undefined : source.location.vpcId,
      ServiceName: task.serviceName || undefined,
      // Only Fargate's own agent shows it.
      Group: onFargate ? task.group : undefined,
      FaultInjectionEnabled: task.enableFaultInjection ?? false,
      AvailabilityZoneID: onFargate ? undefined : source.location.availabilityZoneId,
    }),
  }
}

async function tagsOf(source: MetadataSource, { task }: TaskRecord, asking: ContainerRecord): Promise<Tags> {
  const { containerInstanceArn = '' } = source.agent.identity()
  const [own, instance] = await Promise.all(
    // The hosts of Fargate are not shown.
    [task.arn, ...(task.launchType === 'FARGATE' ? [] : [containerInstanceArn])].map((arn) =>
      source.api.listTags(arn, asking.name),
    ),
  )
  const errors = [
    ...(instance?.error ? [{ ErrorField: 'ContainerInstanceTags', ...instance.error }] : []),
    ...(own?.error ? [{ ErrorField: 'TaskTags', ...own.error }] : []),
  ]
  const some = (tags: Readonly<Record<string, string>> | undefined): typeof tags =>
    tags && Object.keys(tags).length > 0 ? tags : undefined
  const [TaskTags, ContainerInstanceTags] = [some(own?.tags), some(instance?.tags)]
  return {
    ...(TaskTags && { TaskTags }),
    ...(ContainerInstanceTags && { ContainerInstanceTags }),
    ...(errors.length > 0 && { Errors: errors }),
  }
}

/** Of the steps before RUNNING only NONE, PULLED and CREATED are shown: the least advanced container's. */
function taskStatus(record: TaskRecord): string {
  const status = knownStatus(record)
  if (status !== 'PENDING') return status
  const order: readonly ContainerState[] = ['NONE', 'PULLED', 'CREATED', 'RUNNING']
  const behind = order.find((state) => record.containers.some((container) => container.state === state))
  return behind ?? 'NONE'
}
