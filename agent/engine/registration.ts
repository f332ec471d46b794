/** What a host says of itself when it registers: the names are those of the official agent. */
const ecs = 'ecs.capability.'
const legacy = 'com.amazonaws.ecs.capability.'

/** API versions the official agent looks for, as minor numbers of 1.x. */
const remoteApiMinors = [17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 32]

export interface Capabilities {
  readonly apiVersion: string
  readonly loggingDrivers: readonly string[]
  readonly external: boolean
  readonly cpuArchitecture: string
  readonly custom: Readonly<Record<string, string>>
  readonly privileged?: boolean
  /** What only some hosts can. */
  readonly found?: readonly Attribute[]
}

export interface Attribute {
  readonly name: string
  readonly value?: string
}

/**
 * Only what this agent does: no task ENIs. A daemon that speaks a newer API
 * takes the older versions' calls too, in the shape the agent sends them.
 */
export function attributes(capabilities: Capabilities): readonly Attribute[] {
  const [, newest = 0] = capabilities.apiVersion.split('.').map(Number)
  const names = [
    `${ecs}ecr-endpoint`,
    `${ecs}container-ordering`,
    `${ecs}full-sync`,
    `${ecs}network.container-port-range`,
    `${ecs}container-restart-policy`,
    ...(capabilities.privileged === false ? [] : [`${legacy}privileged-container`]),
    ...remoteApiMinors
      .filter((minor) => minor <= newest)
      .map((minor) => `${legacy}docker-remote-api.1.${minor}`),
    ...capabilities.loggingDrivers.map((driver) => `${legacy}logging-driver.${driver}`),
    ...(capabilities.loggingDrivers.includes('awslogs') ? [`${ecs}execution-role-awslogs`] : []),
    `${legacy}ecr-auth`,
    // The instance's own credentials pull whatever the registry has, whatever role a definition names for it.
    `${ecs}execution-role-ecr-pull`,
    `${legacy}task-iam-role`,
    `${legacy}task-iam-role-network-host`,
    `${ecs}container-health-check`,
    `${ecs}docker-plugin.local`,
    `${ecs}private-registry-authentication.secretsmanager`,
    `${ecs}env-files.s3`,
    ...['fluentbit', 'fluentd', 'options.config.file', 'options.config.s3'].map(
      (what) => `${ecs}firelens.${what}`,
    ),
    ...(capabilities.loggingDrivers.includes('fluentd')
      ? [`${legacy}logging-driver.awsfirelens`, `${ecs}logging-driver.awsfirelens.log-driver-buffer-limit`]
      : []),
    ...['asm', 'ssm'].flatMap((store) => [
      `${ecs}secrets.${store}.environment-variables`,
      `${ecs}secrets.${store}.bootstrap.log-driver`,
    ]),
    ...(capabilities.external ? [`${ecs}external`] : []),
  ]
  const found = (capabilities.found ?? []).filter(({ name }) => !names.includes(name))
  return [
    ...Object.entries(capabilities.custom).map(([name, value]) => ({ name, value })),
    ...names.map((name) => ({ name })),
    ...found,
    { name: 'ecs.os-type', value: 'linux' },
    { name: 'ecs.os-family', value: 'LINUX' },
    { name: 'ecs.os-type-detailed', value: 'LINUX' },
    ...(capabilities.external ? [{ name: 'ecs.cpu-architecture', value: capabilities.cpuArchitecture }] : []),
  ]
}

export interface HostTotals {
  readonly cpu: number
  readonly memoryMiB: number
  readonly reservedPorts: readonly number[]
  readonly reservedPortsUdp: readonly number[]
}

/** `PORTS` are the ports already taken on the host, not the free ones. */
export function totalResources({ cpu, memoryMiB, reservedPorts, reservedPortsUdp }: HostTotals): Array<{
  name: string
  type: 'INTEGER' | 'STRINGSET'
  integerValue?: number
  stringSetValue?: string[]
}> {
  return [
    { name: 'CPU', type: 'INTEGER', integerValue: cpu },
    { name: 'MEMORY', type: 'INTEGER', integerValue: memoryMiB },
    { name: 'PORTS', type: 'STRINGSET', stringSetValue: reservedPorts.map(String) },
    { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: reservedPortsUdp.map(String) },
  ]
}
