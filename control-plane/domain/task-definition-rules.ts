/** What AWS refuses of a task definition, in its words and in the order in which it looks. */
import type { ContainerDefinition, Volume } from '@aws-sdk/client-ecs'
import { parseArn } from './arn.ts'
import { parseQuery, QueryError } from './placement/query.ts'
import { launchTypeProblems } from './task-definition-compatibility.ts'
import { containerProblems } from './task-definition-container-rules.ts'
import type { TaskDefinitionDraft } from './task-definition-draft.ts'

type Problems = Generator<string, void, undefined>

/** Each reason for a ClientException, in the order in which AWS looks; `accountId` is the caller's. */
export function* taskDefinitionProblems(draft: TaskDefinitionDraft, accountId: string): Problems {
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(draft.family))
    yield 'Family contains invalid characters. Up to 255 letters, numbers, hyphens and underscores are allowed.'
  if (draft.containerDefinitions.length === 0) yield 'Container list cannot be empty.'
  if (draft.containerDefinitions.length > 10) yield 'Too many containers.'
  yield* choices(draft)
  yield* taskSize(draft)
  for (const container of draft.containerDefinitions) yield* containerProblems(container, draft, accountId)
  yield* acrossContainers(draft)
  yield* dependencies(draft.containerDefinitions)
  yield* volumes(draft)
  yield* logRouting(draft.containerDefinitions)
  yield* roles(draft)
  yield* proxy(draft)
  yield* placement(draft)
  yield* ephemeralStorage(draft)
  for (const launchType of draft.requiresCompatibilities ?? []) yield* launchTypeProblems[launchType](draft)
}

/** Members that have one of a few values, with these values. */
function* choices(draft: TaskDefinitionDraft): Problems {
  const { networkMode, pidMode, ipcMode, requiresCompatibilities = [], containerDefinitions } = draft
  const logDrivers = containerDefinitions.map(({ logConfiguration }) => logConfiguration?.logDriver)
  const mappings = containerDefinitions.flatMap(({ portMappings = [] }) => portMappings)
  const conditions = containerDefinitions.flatMap(({ dependsOn = [] }) =>
    dependsOn.map(({ condition }) => condition),
  )
  const limits = containerDefinitions.flatMap(({ ulimits = [] }) => ulimits.map(({ name }) => name))
  const files = containerDefinitions.flatMap(({ environmentFiles = [] }) =>
    environmentFiles.map(({ type }) => type),
  )
  const consistencies = containerDefinitions.map(({ versionConsistency }) => versionConsistency)
  const scopes = draft.volumes.map(({ dockerVolumeConfiguration }) => dockerVolumeConfiguration?.scope)
  const constraints = draft.placementConstraints.map(({ type }) => type)
  const made: ReadonlyArray<readonly [string, readonly (string | undefined)[], readonly string[]]> = [
    ['network mode', [networkMode], ['bridge', 'host', 'awsvpc', 'none']],
    ['pid mode', [pidMode], ['host', 'task']],
    ['ipc mode', [ipcMode], ['host', 'task', 'none']],
    ['launch type', requiresCompatibilities, Object.keys(launchTypeProblems)],
    ['log driver', logDrivers, knownLogDrivers],
    ['transport protocol', mappings.map(({ protocol }) => protocol), ['tcp', 'udp']],
    ['application protocol', mappings.map(({ appProtocol }) => appProtocol), ['http', 'http2', 'grpc']],
    ['CPU architecture', [draft.runtimePlatform?.cpuArchitecture], ['X86_64', 'ARM64']],
    ['dependency condition', conditions, ['START', 'COMPLETE', 'SUCCESS', 'HEALTHY']],
    ['ulimit', limits, knownUlimits],
    ['environment file type', files, ['s3']],
    ['version consistency', consistencies, ['enabled', 'disabled']],
    ['volume scope', scopes, ['task', 'shared']],
    ['placement constraint type', constraints, ['memberOf']],
  ]
  for (const [what, values, allowed] of made)
    for (const value of values)
      if (value !== undefined && !allowed.includes(value))
        yield `${value} is not a valid ${what}. Must be one of [${allowed.join(',')}]`
}

const knownUlimits =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

const knownLogDrivers = [
  'awsfirelens',
  'awslogs',
  'fluentd',
  'gelf',
  'journald',
  'json-file',
  'splunk',
  'syslog',
]

function* taskSize({ cpu, memory, requiresCompatibilities = [] }: TaskDefinitionDraft): Problems {
  const [units, mebibytes] = [Number(cpu ?? 128), Number(memory ?? 1)]
  // Fargate has a table of sizes, and its own words for a size that is not in it.
  const ranged = !requiresCompatibilities.includes('FARGATE')
  if (!Number.isInteger(units) || cpu === '' || (ranged && (units < 128 || units > 196_608)))
    yield "Invalid 'cpu' setting for task."
  if (!Number.isInteger(mebibytes) || memory === '' || mebibytes < 1)
    yield "Invalid 'memory' setting for task."
}

function* acrossContainers({ containerDefinitions, cpu, networkMode }: TaskDefinitionDraft): Problems {
  const names = containerDefinitions.map(({ name }) => name)
  if (new Set(names).size < names.length) yield 'Container names must be unique within a task definition'
  if (!containerDefinitions.some(({ essential }) => essential))
    yield "Task definition doesn't have any essential container."
  const cpuSum = containerDefinitions.reduce((total, container) => total + (container.cpu ?? 0), 0)
  if (cpu !== undefined && cpuSum > Number(cpu))
    yield "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."

  const mappings = containerDefinitions.flatMap(({ portMappings = [] }) => portMappings)
  const ports = new Set<string>()
  const portNames = new Set<string>()
  for (const { containerPort, protocol = 'tcp', name } of mappings) {
    const port = `${protocol} ${containerPort}`
    if (networkMode === 'awsvpc' && containerPort !== undefined && ports.has(port))
      yield `${protocol.toUpperCase()} container port '${containerPort}' is used multiple times in task when networkMode=awsvpc.`
    ports.add(port)
    if (name === undefined) continue
    if (portNames.has(name))
      yield `When networkMode=${networkMode ?? 'bridge'}, port mapping name is already used`
    portNames.add(name)
  }
}

function* dependencies(containers: readonly ContainerDefinition[]): Problems {
  const byName = new Map(containers.map((container) => [container.name, container]))
  for (const { dependsOn = [] } of containers)
    for (const { containerName, condition } of dependsOn) {
      const dependency = byName.get(containerName)
      if (!dependency) {
        yield `Cannot depend on container + '${containerName}' because it does not exist`
        continue
      }
      if ((condition === 'SUCCESS' || condition === 'COMPLETE') && dependency.essential)
        yield 'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container'
      if (condition === 'HEALTHY' && !dependency.healthCheck)
        yield 'A dependency container with HEALTHY condition must have health check configured'
    }
  // Containers whose dependencies are all settled are settled in turn; what is never settled stands in a circle.
  const unsettled = new Map(byName)
  let settling = true
  while (settling) {
    const ready = [...unsettled].filter(([, { dependsOn = [] }]) =>
      dependsOn.every(({ containerName }) => !unsettled.has(containerName)),
    )
    for (const [name] of ready) unsettled.delete(name)
    settling = ready.length > 0
  }
  if (unsettled.size > 0) yield `Container dependencies form a cycle: ${[...unsettled.keys()].join(', ')}`
}

function* volumes({ volumes: declared, containerDefinitions }: TaskDefinitionDraft): Problems {
  const names = new Set<string>()
  for (const volume of declared) {
    const { name = '' } = volume
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) yield `Volume name '${name}' contains invalid characters.`
    if (names.has(name)) yield `Volume names must be unique within a task definition: '${name}'.`
    names.add(name)
    yield* volumeKind(volume)
  }
  const used = new Set<string | undefined>()
  const containers = new Set(containerDefinitions.map(({ name }) => name))
  for (const { mountPoints = [], volumesFrom = [] } of containerDefinitions) {
    for (const { sourceVolume } of mountPoints) {
      if (!names.has(sourceVolume ?? '')) yield `Unknown volume '${sourceVolume}'.`
      used.add(sourceVolume)
    }
    for (const { sourceContainer } of volumesFrom)
      if (!containers.has(sourceContainer))
        yield `Invalid 'volumesFrom' setting. Unknown container: '${sourceContainer}'`
  }
  const atLaunch = declared.filter(({ configuredAtLaunch }) => configuredAtLaunch)
  const unused = atLaunch.filter(({ name }) => !used.has(name)).map(({ name }) => name)
  if (unused.length > 0) yield `Volumes [${unused.join(', ')}] are not referenced by any of the containers`
  if (atLaunch.length > 1) yield 'Only one volume can be configured at launch.'
}

function* volumeKind(volume: Volume): Problems {
  const { name, host, dockerVolumeConfiguration: docker, efsVolumeConfiguration: efs } = volume
  const kinds = [
    host,
    docker,
    efs,
    volume.fsxWindowsFileServerVolumeConfiguration,
    volume.s3filesVolumeConfiguration,
    volume.configuredAtLaunch || undefined,
  ].filter((kind) => kind !== undefined)
  if (kinds.length > 1) yield `Volume '${name}' must have exactly one kind of configuration.`
  if (host?.sourcePath === '') yield 'host.sourcePath should not be blank.'
  if (docker?.autoprovision !== undefined && docker.scope !== 'shared')
    yield `Volume '${name}': 'autoprovision' can be specified for the scope 'shared' only.`
  if (!efs) return
  const encrypted = efs.transitEncryption === 'ENABLED'
  if (efs.authorizationConfig?.accessPointId && (efs.rootDirectory ?? '/') !== '/')
    yield 'When using an EFS access point, the root directory must either be set to "/" or be omitted.'
  if (efs.authorizationConfig?.iam === 'ENABLED' && !encrypted)
    yield 'EFS IAM authorization requires TransitEncryption to be enabled.'
  if (efs.transitEncryptionPort !== undefined && !encrypted)
    yield 'TransitEncryptionPort requires that TransitEncryption is enabled.'
}

function* logRouting(containers: readonly ContainerDefinition[]): Problems {
  const routers = containers.filter(({ firelensConfiguration }) => firelensConfiguration)
  const routed = containers.some(({ logConfiguration }) => logConfiguration?.logDriver === 'awsfirelens')
  if (routed && routers.length === 0)
    yield 'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.'
  if (routers.length > 0 && !routed)
    yield 'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.'
  if (routers.length > 1) yield 'Only one container in a task definition can have a firelensConfiguration.'
}

function* roles({
  taskRoleArn,
  executionRoleArn,
  containerDefinitions,
  volumes: declared,
}: TaskDefinitionDraft): Problems {
  for (const role of [taskRoleArn, executionRoleArn])
    if (role?.startsWith('arn:') && !/^role\/.+/.test(iamResource(role))) yield 'Role is not valid'
  const secret = containerDefinitions.some(
    ({ secrets = [], logConfiguration }) =>
      secrets.length > 0 || (logConfiguration?.secretOptions ?? []).length > 0,
  )
  if (secret && !executionRoleArn)
    yield "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
  if (declared.some(({ s3filesVolumeConfiguration }) => s3filesVolumeConfiguration) && !taskRoleArn)
    yield "When you are specifying an S3 Files volume, you must also specify a value for 'taskRoleArn'."
}

function iamResource(role: string): string {
  const arn = parseArn(role)
  return arn?.service === 'iam' ? arn.resource : ''
}

function* proxy({ proxyConfiguration, networkMode, containerDefinitions }: TaskDefinitionDraft): Problems {
  if (!proxyConfiguration) return
  const { containerName, properties = [] } = proxyConfiguration
  if (networkMode !== 'awsvpc') yield 'APPMESH proxy configuration is only supported in networkMode=awsvpc'
  if (!containerDefinitions.some(({ name }) => name === containerName))
    yield `Proxy container [${containerName}] does not exist`
  if (!properties.some(({ name, value }) => name === 'ProxyIngressPort' && value))
    yield 'Ingress port not found'
}

function* placement({ placementConstraints }: TaskDefinitionDraft): Problems {
  if (placementConstraints.length > 10) yield 'Maximum number of placement constraints is 10.'
  for (const { expression = '' } of placementConstraints)
    if (expression === '' || expression.length > 2000)
      yield `constraint.expression '${expression}' must have between 1 and 2000 characters.`
    else yield* expressionProblems(expression)
}

function* expressionProblems(expression: string): Problems {
  try {
    parseQuery(expression)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    yield `constraint.expression '${expression}' is invalid: ${error.message}`
  }
}

function* ephemeralStorage({ ephemeralStorage: storage }: TaskDefinitionDraft): Problems {
  if (!storage) return
  const { sizeInGiB = 0 } = storage
  if (sizeInGiB < 21) yield 'EphemeralStorage size should be at least 21'
  if (sizeInGiB > 200) yield 'EphemeralStorage size should be at most 200'
}
