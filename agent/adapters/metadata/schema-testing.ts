/** A schema of the metadata documents, written down from AWS's pages and from answers of the official agent. */

/** Says what is wrong with a value, by the path of where it stands. */
export type Check = (value: unknown, at: string) => readonly string[]

const check =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (value, at) =>
    holds(value) ? [] : [`${at} is ${JSON.stringify(value)}, not ${what}`]

const text = check('a string', (value) => typeof value === 'string')
const someText = check('a string that is not empty', (value) => typeof value === 'string' && value !== '')
const number = check('a number', (value) => typeof value === 'number' && Number.isFinite(value))
const whole = check('a whole number', (value) => Number.isInteger(value))
const bool = check('true or false', (value) => typeof value === 'boolean')
const matching = (pattern: RegExp): Check =>
  check(String(pattern), (value) => typeof value === 'string' && pattern.test(value))
const oneOf = (...values: readonly unknown[]): Check =>
  check(`one of ${values.join(', ')}`, (value) => values.includes(value))
/** As Go writes RFC 3339 with nanoseconds: no zeros at the end. */
const time = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{0,8}[1-9])?Z$/)

const listOf =
  (item: Check): Check =>
  (value, at) =>
    Array.isArray(value)
      ? value.flatMap((element: unknown, index) => item(element, `${at}[${index}]`))
      : [`${at} is not a list`]

const members = (value: unknown): ReadonlyArray<[string, unknown]> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined

const mapOf =
  (item: Check): Check =>
  (value, at) =>
    members(value)?.flatMap(([key, member]) => item(member, `${at}.${key}`)) ?? [`${at} is not an object`]

const someMapOf =
  (item: Check): Check =>
  (value, at) =>
    members(value)?.length === 0 ? [`${at} is empty and so must be absent`] : mapOf(item)(value, at)

/** An object with all of `required`, some of `optional` and nothing else. */
const objectOf =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value, at) => {
    const found = members(value)
    if (!found) return [`${at} is not an object`]
    const names = new Set(found.map(([name]) => name))
    const missing = Object.keys(required).filter((name) => !names.has(name))
    return [
      ...missing.map((name) => `${at}.${name} is missing`),
      ...found.flatMap(([name, member]) => {
        const rule = required[name] ?? optional[name]
        return rule ? rule(member, `${at}.${name}`) : [`${at}.${name} is not in the schema`]
      }),
    ]
  }

const containerStatus = oneOf('NONE', 'PULLED', 'CREATED', 'RUNNING', 'RESOURCES_PROVISIONED', 'STOPPED')
const labels = mapOf(text)
const address = matching(/^(?:\d+\.\d+\.\d+\.\d+)?$/)

const port = (withAddress: boolean): Check =>
  objectOf({
    ContainerPort: whole,
    Protocol: oneOf('tcp', 'udp'),
    HostPort: whole,
    ...(withAddress && { HostIp: someText }),
  })

const bridgeNetwork = objectOf({
  NetworkMode: oneOf('bridge', 'host', 'none'),
  IPv4Addresses: listOf(address),
})
const taskNetwork = objectOf(
  {
    NetworkMode: oneOf('awsvpc'),
    IPv4Addresses: listOf(address),
    AttachmentIndex: oneOf(0),
    MACAddress: matching(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/),
    IPv4SubnetCIDRBlock: matching(/^\d+\.\d+\.\d+\.\d+\/\d+$/),
    PrivateDNSName: someText,
    SubnetGatewayIpv4Address: matching(/^\d+\.\d+\.\d+\.\d+\/\d+$/),
  },
  {
    DomainNameServers: listOf(someText),
    DomainNameSearchList: listOf(someText),
    IPv6Addresses: listOf(text),
  },
)
const either =
  (...checks: readonly Check[]): Check =>
  (value, at) => {
    const all = checks.map((one) => one(value, at))
    return all.find((faults) => faults.length === 0) ?? all[0] ?? []
  }

const containerRequired = {
  DockerId: text,
  Name: someText,
  DockerName: someText,
  Image: someText,
  ImageID: text,
  Labels: labels,
  DesiredStatus: oneOf('RUNNING', 'RESOURCES_PROVISIONED', 'STOPPED'),
  KnownStatus: containerStatus,
  Limits: objectOf({
    CPU: check('2 or more', (value) => typeof value === 'number' && value >= 2),
    Memory: whole,
  }),
  Type: oneOf('NORMAL', 'CNI_PAUSE'),
}
const containerOptional = {
  ExitCode: whole,
  CreatedAt: time,
  StartedAt: time,
  FinishedAt: time,
  Health: objectOf(
    {},
    { status: oneOf('HEALTHY', 'UNHEALTHY'), statusSince: time, exitCode: whole, output: someText },
  ),
  Volumes: listOf(objectOf({ Source: text, Destination: someText }, { DockerName: someText })),
}

export const containerV4 = objectOf(containerRequired, {
  ...containerOptional,
  Ports: listOf(port(true)),
  ContainerARN: matching(/^arn:aws:ecs:[^:]+:\d{12}:container\//),
  LogDriver: someText,
  LogOptions: someMapOf(text),
  Networks: listOf(either(bridgeNetwork, taskNetwork)),
  RestartCount: whole,
  Snapshotter: oneOf('overlayfs', 'soci'),
})
export const containerV3 = objectOf(containerRequired, {
  ...containerOptional,
  Ports: listOf(port(false)),
  Networks: listOf(objectOf({ NetworkMode: someText, IPv4Addresses: listOf(address) })),
})

const taskRequired = {
  Cluster: someText,
  TaskARN: matching(/^arn:aws:ecs:[^:]+:\d{12}:task\//),
  Family: someText,
  Revision: matching(/^\d+$/),
  DesiredStatus: oneOf('RUNNING', 'STOPPED'),
  KnownStatus: containerStatus,
}
const taskOptional = {
  Limits: objectOf({}, { CPU: number, Memory: whole }),
  PullStartedAt: time,
  PullStoppedAt: time,
  ExecutionStoppedAt: time,
  AvailabilityZone: someText,
  TaskTags: someMapOf(text),
  ContainerInstanceTags: someMapOf(text),
}

export const taskV4 = objectOf(
  {
    ...taskRequired,
    LaunchType: oneOf('EC2', 'FARGATE', 'EXTERNAL', 'MANAGED_INSTANCES'),
    FaultInjectionEnabled: bool,
  },
  {
    ...taskOptional,
    Containers: listOf(containerV4),
    VPCID: matching(/^vpc-/),
    ServiceName: someText,
    Group: someText,
    AvailabilityZoneID: someText,
    Errors: listOf(
      objectOf(
        {
          ErrorField: oneOf('TaskTags', 'ContainerInstanceTags'),
          ErrorMessage: someText,
          ResourceARN: someText,
        },
        { ErrorCode: someText, StatusCode: whole, RequestId: someText },
      ),
    ),
  },
)
export const taskV3 = objectOf(taskRequired, { ...taskOptional, Containers: listOf(containerV3) })
