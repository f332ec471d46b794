/** What AWS refuses of one container definition, in its words and in the order in which it looks. */
import type { ContainerDefinition, PortMapping, Secret } from '@aws-sdk/client-ecs'
import { parseArn } from './arn.ts'
import type { TaskDefinitionDraft } from './task-definition-draft.ts'

type Problems = Generator<string, void, undefined>

/** The rules that look at one container; `accountId` is the caller's. */
export function* containerProblems(
  container: ContainerDefinition,
  draft: TaskDefinitionDraft,
  accountId: string,
): Problems {
  yield* imageAndName(container)
  yield* memory(container, draft)
  yield* portMappings(container, draft.networkMode)
  yield* portRanges(container, draft.networkMode)
  yield* networkSettings(container, draft.networkMode)
  yield* environment(container, accountId)
  yield* healthCheck(container)
  yield* timeouts(container)
  yield* ulimits(container)
  yield* linux(container)
  yield* systemControls(container, draft)
  yield* resources(container)
  yield* logging(container)
}

function* imageAndName({ image, name }: ContainerDefinition): Problems {
  if (!image) yield 'Container.image should not be null or empty.'
  else if (!/^[A-Za-z0-9\-_:./#@]+$/.test(image) || (image.split('@')[0] ?? '').length > 255)
    yield 'Container.image contains invalid characters.'
  if (!name) yield 'Container.name should not be null or empty.'
  else if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) yield 'Container.name contains invalid characters.'
}

function* memory(container: ContainerDefinition, draft: TaskDefinitionDraft): Problems {
  const setting = `Invalid setting for container '${container.name}'.`
  const { memory: hard, memoryReservation: soft, cpu = 0 } = container
  if (hard === undefined && soft === undefined && draft.memory === undefined)
    yield `${setting} At least one of 'memory' or 'memoryReservation' must be specified.`
  if ((hard !== undefined && hard < 1) || (soft !== undefined && soft < 1))
    yield `${setting} 'memory' and 'memoryReservation' must be greater than zero.`
  if (hard !== undefined && soft !== undefined && hard < soft)
    yield `${setting} 'memory' must be greater than or equal to 'memoryReservation'.`
  if (draft.memory !== undefined && (hard ?? soft ?? 0) > Number(draft.memory))
    yield `The 'memory' setting for container '${container.name}' is greater than for the task.`
  if (cpu < 0) yield `${setting} 'cpu' must not be negative.`
}

function* portMappings(
  { name, portMappings: mappings = [] }: ContainerDefinition,
  networkMode: TaskDefinitionDraft['networkMode'],
): Problems {
  if (networkMode === 'none' && mappings.length > 0)
    yield 'Port mappings are not supported when networkMode=none.'
  for (const mapping of mappings) {
    const { containerPort, hostPort, containerPortRange, name: portName } = mapping
    if (containerPortRange !== undefined) {
      if (containerPort !== undefined || hostPort !== undefined)
        yield `Invalid port mapping for container '${name}', cannot specify both single port and port range.`
    } else if (containerPort === undefined || containerPort < 1 || containerPort > 65_535)
      yield `Invalid 'containerPort' setting for container '${name}'.`
    else if (hostPort !== undefined && (hostPort < 0 || hostPort > 65_535))
      yield `Invalid 'hostPort' setting for container '${name}'.`
    else if ((networkMode === 'awsvpc' || networkMode === 'host') && hostPort !== containerPort)
      yield `When networkMode=${networkMode}, the host ports and container ports in port mappings must match.`
    if (portName !== undefined && !/^[a-z0-9_][a-z0-9_-]{0,63}$/.test(portName))
      yield `Invalid 'name' setting for port mapping in container '${name}'.`
    if (mapping.appProtocol !== undefined && portName === undefined)
      yield `Invalid port mapping for container '${name}', 'appProtocol' requires 'name'.`
  }
}

const portRangesMax = 100

function* portRanges(
  { name, portMappings: mappings = [] }: ContainerDefinition,
  networkMode: TaskDefinitionDraft['networkMode'],
): Problems {
  const ranged = mappings.filter(({ containerPortRange }) => containerPortRange !== undefined)
  const invalid = `Invalid 'containerPortRange' setting for container '${name}'.`
  if (ranged.length > portRangesMax)
    yield `${invalid} A container can have at most ${portRangesMax} port ranges.`
  if (ranged.length > 0 && networkMode === 'host')
    yield `${invalid} It is not supported when networkMode=host.`
  const taken: Array<readonly [protocol: string, from: number, to: number]> = []
  for (const { containerPortRange = '', protocol = 'tcp' } of ranged) {
    const [, first, last] = /^(\d+)-(\d+)$/.exec(containerPortRange) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (first === undefined || from < 1 || to > 65_535 || from >= to) yield invalid
    if (overlaps(taken, protocol, from, to)) yield `${invalid} Port ranges must not overlap.`
    taken.push([protocol, from, to])
  }
  for (const { containerPort, protocol = 'tcp' } of mappings)
    if (containerPort !== undefined && overlaps(taken, protocol, containerPort, containerPort))
      yield `${invalid} It includes port ${containerPort}, which has a port mapping of its own.`
}

function overlaps(
  taken: ReadonlyArray<readonly [protocol: string, from: number, to: number]>,
  protocol: PortMapping['protocol'],
  from: number,
  to: number,
): boolean {
  return taken.some(([other, first, last]) => other === protocol && from <= last && to >= first)
}

function* networkSettings(
  container: ContainerDefinition,
  networkMode: TaskDefinitionDraft['networkMode'],
): Problems {
  const { links = [], extraHosts = [], dnsServers = [], dnsSearchDomains = [] } = container
  if (links.length > 0 && networkMode !== undefined && networkMode !== 'bridge')
    yield `Links are not supported when networkMode=${networkMode}.`
  if (networkMode === 'awsvpc') {
    const unsupported = 'not supported on container when networkMode=awsvpc.'
    if (container.hostname !== undefined) yield `hostname is ${unsupported}`
    if (extraHosts.length > 0) yield `Extra hosts are ${unsupported}`
    if (dnsServers.length > 0) yield `DNS servers are ${unsupported}`
    if (container.disableNetworking === true) yield `Disable Networking is ${unsupported}`
  }
  for (const domain of dnsSearchDomains)
    if (!/^[a-zA-Z0-9-.]{0,253}[a-zA-Z0-9]$/.test(domain))
      yield `DNS search domain ${domain} contains invalid characters, does not match pattern ^[a-zA-Z0-9-.]{0,253}[a-zA-Z0-9]$`
}

function* environment(container: ContainerDefinition, accountId: string): Problems {
  const { environment: variables = [], environmentFiles = [], secrets = [] } = container
  if (variables.some(({ name }) => !name)) yield 'Environment variable name should not be null or empty.'
  if (environmentFiles.length > 10)
    yield 'The maximum number of environment files was exceeded. Specify ten or less and try again.'
  if (environmentFiles.some(({ value = '' }) => parseArn(value)?.service !== 's3'))
    yield 'Invalid arn syntax.'
  const seen = new Set(variables.map(({ name }) => name))
  for (const { name } of secrets) {
    if (!name) yield 'Secret name should not be null or empty.'
    if (seen.has(name))
      yield `The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '${name}'.`
    seen.add(name)
  }
  for (const secret of [...secrets, ...(container.logConfiguration?.secretOptions ?? [])])
    yield* secretSource(secret, accountId)
}

function* secretSource({ name, valueFrom }: Secret, accountId: string): Problems {
  const arn = parseArn(valueFrom ?? '')
  if (!valueFrom) yield 'Secret valueFrom should not be null or empty.'
  // What is no ARN names a parameter: a secret of Secrets Manager cannot be had by its name.
  if (!arn && !/^[\w.\-/]+$/.test(valueFrom ?? ''))
    yield `The Systems Manager parameter name specified for secret ${name} is invalid.`
  if (arn && arn.service !== 'ssm' && arn.service !== 'secretsmanager') yield 'Invalid arn syntax.'
  if (arn?.service === 'ssm' && arn.accountId !== accountId)
    yield `The Systems Manager parameter ARN has a different account ID than the current account. The current account ID is ${accountId} and the ARN account ID is ${arn.accountId}. Cross-account access for ARNs is not currently supported.`
}

/** The lower and upper bounds of a health check's numbers, in seconds but for the retries. */
const healthCheckBounds = [
  ['interval', 'interval', 5, 300],
  ['timeout', 'timeout', 2, 60],
  ['retries', 'retries', 1, 10],
  ['startPeriod', 'startPeriod', 0, 300],
] as const

function* healthCheck({ name, healthCheck: check }: ContainerDefinition): Problems {
  if (!check) return
  if ((check.command ?? []).length === 0)
    yield `Health check command must not be empty for container '${name}'`
  for (const [member, word, least, most] of healthCheckBounds) {
    const value = check[member]
    if (value === undefined) continue
    if (value > most)
      yield `Health check ${word} must be less than or equal to the maximum allowed value ${most} for container '${name}'`
    if (value < least)
      yield `Health check ${word} must be greater than or equal to the minimum allowed value ${least} for container '${name}'`
  }
}

function* timeouts({ name, startTimeout, stopTimeout, restartPolicy }: ContainerDefinition): Problems {
  if (stopTimeout !== undefined && stopTimeout < 2)
    yield `Granular stop timeout on container '${name}' must be at least 2 seconds.`
  if (startTimeout !== undefined && startTimeout < 2)
    yield `Granular start timeout on container '${name}' must be at least 2 seconds.`
  const period = restartPolicy?.restartAttemptPeriod
  if (period !== undefined && (period < 60 || period > 1800))
    yield `The 'restartAttemptPeriod' setting for container '${name}' must be between 60 and 1800.`
  if ((restartPolicy?.ignoredExitCodes ?? []).length > 50)
    yield `The 'ignoredExitCodes' setting for container '${name}' must have at most 50 exit codes.`
}

const kernelCapabilities: ReadonlySet<string> = new Set(
  `ALL AUDIT_CONTROL AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER
   KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP
   SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO
   SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM`.split(/\s+/),
)

function* ulimits({ ulimits: limits = [] }: ContainerDefinition): Problems {
  // -1 is no limit at all.
  for (const { name, softLimit = 0, hardLimit = 0 } of limits)
    if (hardLimit !== -1 && (softLimit > hardLimit || softLimit === -1))
      yield `Soft limit exceeds hard limit for ulimit ${name}`
}

const mountOption =
  /^(?:defaults|r[ow]|(?:no)?(?:suid|dev|exec|mand|atime|diratime|relatime|strictatime)|(?:a|dir)?sync|remount|r?(?:bind|unbindable|private|shared|slave)|(?:mode|uid|gid|nr_inodes|nr_blocks|mpol)(?:=.+)?)$/

function* linux({ name, linuxParameters = {} }: ContainerDefinition): Problems {
  const invalid = (member: string): string => `Invalid '${member}' setting for container '${name}'.`
  const { add = [], drop = [] } = linuxParameters.capabilities ?? {}
  for (const capability of [...add, ...drop])
    if (!kernelCapabilities.has(capability))
      yield `Invalid capability '${capability}' for container '${name}'. Must be one of [${[...kernelCapabilities].join(',')}]`
  const { swappiness, maxSwap, sharedMemorySize, devices = [], tmpfs = [] } = linuxParameters
  if (swappiness !== undefined && (swappiness < 0 || swappiness > 100))
    yield `${invalid('swappiness')} It must be between 0 and 100.`
  if (maxSwap !== undefined && maxSwap < 0) yield `${invalid('maxSwap')} It must not be negative.`
  if (sharedMemorySize !== undefined && sharedMemorySize < 1)
    yield `${invalid('sharedMemorySize')} It must be greater than zero.`
  if (devices.some(({ hostPath }) => !hostPath)) yield `${invalid('devices')} 'hostPath' must be specified.`
  for (const { containerPath = '', size = 0, mountOptions: options = [] } of tmpfs) {
    if (!containerPath.startsWith('/')) yield `${invalid('tmpfs')} 'containerPath' must be an absolute path.`
    if (size < 1) yield `${invalid('tmpfs')} 'size' must be greater than zero.`
    for (const option of options)
      if (!mountOption.test(option)) yield `${invalid('tmpfs')} '${option}' is not a valid mount option.`
  }
}

const ipcControls: ReadonlySet<string> = new Set(
  'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced'.split(' ').map((name) => `kernel.${name}`),
)

function* systemControls(
  { name, systemControls: controls = [] }: ContainerDefinition,
  { networkMode, ipcMode }: TaskDefinitionDraft,
): Problems {
  for (const { namespace = '', value = '' } of controls) {
    const ipc = ipcControls.has(namespace) || namespace.startsWith('fs.mqueue.')
    // That the text begins so is known; https://github.com/aws/aws-cdk/issues/23635
    if (!ipc && !/^net\../.test(namespace))
      yield `The 'systemControls' namespace ${namespace} must start with net. or fs.mqueue. prefix, or be one of [${[...ipcControls].join(',')}]`
    if (value === '')
      yield `Invalid 'systemControls' setting for container '${name}'. 'value' must be specified.`
    if (networkMode === 'host' && !ipc)
      yield `System control '${namespace}' is not supported when networkMode=host.`
    if (ipcMode === 'host' && ipc) yield `System control '${namespace}' is not supported when ipcMode=host.`
  }
}

function* resources({
  name,
  resourceRequirements = [],
  credentialSpecs = [],
}: ContainerDefinition): Problems {
  const invalid = `Invalid 'resourceRequirements' setting for container '${name}'.`
  for (const { type, value, sharingStrategy } of resourceRequirements) {
    if (type === 'InferenceAccelerator') yield `Resource requirements of type ${type} are not supported.`
    if (type === 'NeuronDevice' && value !== 'ALL') yield invalid
    if (sharingStrategy !== undefined && (type !== 'GPU' || value !== undefined)) yield invalid
    if (type === 'GPU' && sharingStrategy === undefined && !/^(?:[1-9]\d*|ALL)$/.test(value ?? ''))
      yield invalid
  }
  if (credentialSpecs.length > 1) yield `Only one credential spec is supported for container '${name}'.`
  for (const spec of credentialSpecs)
    if (!/^credentialspec(?:domainless)?:./.test(spec))
      yield `Invalid 'credentialSpecs' setting for container '${name}'.`
}

const awslogsRequired = ['awslogs-region', 'awslogs-group']
const awslogsOptions: ReadonlySet<string> = new Set([
  ...awslogsRequired,
  ...'stream-prefix create-group datetime-format multiline-pattern endpoint format create-stream stream'
    .split(' ')
    .map((name) => `awslogs-${name}`),
  'awslogs-force-flush-interval-seconds',
  'awslogs-max-buffered-events',
  ...'mode max-buffer-size tag labels env env-regex'.split(' '),
])

function* logging({ logConfiguration }: ContainerDefinition): Problems {
  if (!logConfiguration) return
  const { logDriver, options = {} } = logConfiguration
  if (!logDriver) yield 'Log driver should not be null or empty.'
  if (logDriver !== 'awslogs') return
  const missing = awslogsRequired.filter((option) => !options[option])
  if (missing.length > 0) yield `Log driver awslogs requires options: ${missing.join(', ')}`
  const unknown = Object.keys(options).filter((option) => !awslogsOptions.has(option))
  if (unknown.length > 0) yield `Log driver awslogs disallows options: ${unknown.join(', ')}`
}
