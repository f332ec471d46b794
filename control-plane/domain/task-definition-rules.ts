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
  // Both texts are AWS's: https://github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/630
  if (draft.family === '') yield 'Family can not be blank.'
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(draft.family)) yield 'Family contains invalid characters.'
  if (draft.containerDefinitions.length === 0) yield 'Container list cannot be empty.'
  if (draft.containerDefinitions.length > 10) yield 'Too many containers.'
  yield* choices(draft)
  yield* taskSize(draft)
  for (const container of draft.containerDefinitions) yield* containerProblems(container, draft, accountId)
  yield* acrossContainers(draft)
  yield* links(draft.containerDefinitions)
  yield* dependencies(draft.containerDefinitions)
  yield* volumes(draft)
  yield* logRouting(draft.containerDefinitions)
  yield* roles(draft)
  yield* proxy(draft)
  yield* placement(draft)
  yield* ephemeralStorage(draft)
  for (const launchType of draft.requiresCompatibilities ?? []) yield* launchTypeProblems[launchType](draft)
  yield* platform(draft)
}

/** After the launch types, of which Fargate has its own words for it. */
function* platform({ runtimePlatform = {} }: TaskDefinitionDraft): Problems {
  const { cpuArchitecture, operatingSystemFamily = 'LINUX' } = runtimePlatform
  if (cpuArchitecture === 'ARM64' && operatingSystemFamily !== 'LINUX')
    yield `${operatingSystemFamily} is not supported on the CPU architecture ARM64.`
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
  const resourceTypes = containerDefinitions.flatMap(({ resourceRequirements = [] }) =>
    resourceRequirements.map(({ type }) => type),
  )
  const permissions = containerDefinitions.flatMap(({ linuxParameters }) =>
    (linuxParameters?.devices ?? []).flatMap((device) => device.permissions ?? []),
  )
  const routers = containerDefinitions.map(({ firelensConfiguration }) => firelensConfiguration?.type)
  const encryptions = draft.volumes.map(({ efsVolumeConfiguration: efs }) => efs?.transitEncryption)
  const authorizations = draft.volumes.map(({ efsVolumeConfiguration: efs }) => efs?.authorizationConfig?.iam)
  const made: ReadonlyArray<readonly [string, readonly (string | undefined)[], readonly string[]]> = [
    ['network mode', [networkMode], ['bridge', 'host', 'awsvpc', 'none']],
    ['pid mode', [pidMode], ['host', 'task']],
    ['ipc mode', [ipcMode], ['host', 'task', 'none']],
    ['launch type', requiresCompatibilities, Object.keys(launchTypeProblems)],
    ['log driver', logDrivers, knownLogDrivers],
    ['application protocol', mappings.map(({ appProtocol }) => appProtocol), ['http', 'http2', 'grpc']],
    ['CPU architecture', [draft.runtimePlatform?.cpuArchitecture], ['X86_64', 'ARM64']],
    ['operating system family', [draft.runtimePlatform?.operatingSystemFamily], operatingSystems],
    ['dependency condition', conditions, ['START', 'COMPLETE', 'SUCCESS', 'HEALTHY']],
    ['ulimit', limits, knownUlimits],
    ['environment file type', files, ['s3']],
    ['version consistency', consistencies, ['enabled', 'disabled']],
    ['volume scope', scopes, ['task', 'shared']],
    ['placement constraint type', constraints, ['memberOf']],
    ['resource type', resourceTypes, ['GPU', 'InferenceAccelerator', 'NeuronDevice']],
    ['device permission', permissions, ['read', 'write', 'mknod']],
    ['FireLens configuration type', routers, ['fluentd', 'fluentbit']],
    ['proxy configuration type', [draft.proxyConfiguration?.type], ['APPMESH']],
    ['transit encryption', encryptions, ['ENABLED', 'DISABLED']],
    ['IAM authorization', authorizations, ['ENABLED', 'DISABLED']],
  ]
  for (const [what, values, allowed] of made)
    for (const value of values)
      if (value !== undefined && !allowed.includes(value))
        yield `${value} is not a valid ${what}. Must be one of [${allowed.join(',')}]`
}

const operatingSystems = [
  'LINUX',
  ...'2004_CORE 2016_FULL 2019_CORE 2019_FULL 2022_CORE 2022_FULL 2025_CORE 2025_FULL 20H2_CORE'
    .split(' ')
    .map((edition) => `WINDOWS_SERVER_${edition}`),
]

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

function* links(containers: readonly ContainerDefinition[]): Problems {
  const names = new Set(containers.map(({ name }) => name))
  const linked = new Map<string, readonly string[]>()
  for (const { name = '', links: written = [] } of containers) {
    for (const link of written) {
      const [target] = link.split(':')
      if (!/^[A-Za-z0-9_-]+(?::[A-Za-z0-9_.-]+)?$/.test(link))
        yield `Invalid 'links' setting. Invalid link: '${link}'`
      if (!names.has(target)) yield `Invalid 'links' setting. Unknown container: '${target}'`
    }
    linked.set(
      name,
      written.map((link) => link.split(':')[0] ?? ''),
    )
  }
  // AWS's text: https://github.com/Shippable/support/issues/4194
  if (inCircles(linked).length > 0) yield 'Container links should not have a cycle'
}

/** The names that stand in a circle, or lead into one: those that are never settled, one after what it needs. */
function inCircles(needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const unsettled = new Map(needs)
  let settling = true
  while (settling) {
    const ready = [...unsettled].filter(([, needed]) => !needed.some((name) => unsettled.has(name)))
    for (const [name] of ready) unsettled.delete(name)
    settling = ready.length > 0
  }
  return [...unsettled.keys()]
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
  const circle = inCircles(
    new Map(
      containers.map(({ name = '', dependsOn = [] }) => [
        name,
        dependsOn.map(({ containerName = '' }) => containerName),
      ]),
    ),
  )
  if (circle.length > 0) yield `Container dependencies form a cycle: ${circle.join(', ')}`
}

function* volumes({ volumes: declared, containerDefinitions }: TaskDefinitionDraft): Problems {
  const names = new Set<string>()
  for (const volume of declared) {
    const { name = '' } = volume
    if (name === '') yield 'volume.name should not be null or empty.'
    // AWS's text: https://github.com/aws/amazon-ecs-cli/issues/277
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) yield 'volume.name contains invalid characters.'
    if (names.has(name)) yield 'Volume names must be unique within a task definition'
    names.add(name)
    yield* volumeKind(volume)
  }
  const used = new Set<string | undefined>()
  const containers = new Set(containerDefinitions.map(({ name }) => name))
  for (const { mountPoints = [], volumesFrom = [] } of containerDefinitions) {
    for (const { sourceVolume, containerPath } of mountPoints) {
      if (!names.has(sourceVolume ?? '')) yield `Unknown volume '${sourceVolume}'.`
      if (!containerPath) yield 'mountPoint.containerPath should not be null or empty.'
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
  const { fsxWindowsFileServerVolumeConfiguration: fsx, s3filesVolumeConfiguration: s3files } = volume
  const kinds = [host, docker, efs, fsx, s3files, volume.configuredAtLaunch || undefined].filter(
    (kind) => kind !== undefined,
  )
  if (kinds.length > 1) yield `Volume '${name}' must have exactly one kind of configuration.`
  if (host?.sourcePath === '') yield 'host.sourcePath should not be blank.'
  if (docker?.autoprovision !== undefined && docker.scope !== 'shared')
    yield `Volume '${name}': 'autoprovision' can be specified for the scope 'shared' only.`
  if (fsx && !(fsx.fileSystemId && fsx.rootDirectory))
    yield `Volume '${name}': 'fileSystemId' and 'rootDirectory' must be specified.`
  if (s3files && parseArn(s3files.fileSystemArn ?? '') === undefined) yield 'Invalid arn syntax.'
  if (s3files?.accessPointArn && (s3files.rootDirectory ?? '/') !== '/')
    yield 'When using an S3 Files access point, the root directory must either be set to "/" or be omitted.'
  if (!efs) return
  if (!efs.fileSystemId) yield `Volume '${name}': 'fileSystemId' must be specified.`
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
  for (const { firelensConfiguration: router } of routers) {
    const { 'config-file-type': type, 'config-file-value': file, ...others } = router?.options ?? {}
    if (type !== undefined && !['s3', 'file'].includes(type))
      yield `${type} is not a valid FireLens config-file-type. Must be one of [s3,file]`
    if ((type === undefined) !== (file === undefined))
      yield "FireLens options 'config-file-type' and 'config-file-value' must be specified together."
    const metadata = others['enable-ecs-log-metadata']
    if (metadata !== undefined && !['true', 'false'].includes(metadata))
      yield `${metadata} is not a valid FireLens enable-ecs-log-metadata. Must be one of [true,false]`
  }
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
  if (placementConstraints.length > 10) yield 'Maximum number of constraints is 10.'
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
