/** On which launch types a task definition can run, and in AWS's words why not on the others. */
import type { Compatibility, ContainerDefinition, ResourceRequirement } from '@aws-sdk/client-ecs'
import type { TaskDefinitionDraft } from './task-definition-draft.ts'

type Problems = Generator<string, void, undefined>

/** The reasons why a launch type cannot run the definition: the same that refuse it under requiresCompatibilities. */
export const launchTypeProblems: Readonly<Record<Compatibility, (draft: TaskDefinitionDraft) => Problems>> = {
  EC2: ec2Problems,
  EXTERNAL: externalProblems,
  FARGATE: fargateProblems,
  MANAGED_INSTANCES: managedInstancesProblems,
}

/** As AWS lists them. */
const inOrder: readonly Compatibility[] = ['EXTERNAL', 'EC2', 'MANAGED_INSTANCES', 'FARGATE']

/** The launch types that can run it. */
export function compatibilitiesOf(draft: TaskDefinitionDraft): readonly Compatibility[] {
  return inOrder.filter((launchType) => launchTypeProblems[launchType](draft).next().done === true)
}

function* ec2Problems({ ephemeralStorage, containerDefinitions }: TaskDefinitionDraft): Problems {
  if (ephemeralStorage) yield 'Tasks using the EC2 launch type do not support EphemeralStorage.'
  if (containerDefinitions.some(({ resourceRequirements = [] }) => resourceRequirements.some(isNeuronDevice)))
    yield 'Tasks using the EC2 launch type do not support Neuron devices.'
}

function* externalProblems(draft: TaskDefinitionDraft): Problems {
  const unsupported = (what: string): string => `Tasks using the EXTERNAL launch type do not support ${what}.`
  if (draft.networkMode === 'awsvpc') yield unsupported("networkMode 'awsvpc'")
  if (draft.ephemeralStorage) yield unsupported('EphemeralStorage')
  if (draft.proxyConfiguration) yield unsupported('proxyConfiguration')
  if (draft.volumes.some(({ efsVolumeConfiguration }) => efsVolumeConfiguration))
    yield unsupported('EFS volumes')
  if (draft.volumes.some(({ configuredAtLaunch }) => configuredAtLaunch))
    yield unsupported('volumes that are configured at launch')
  const mappings = draft.containerDefinitions.flatMap(({ portMappings = [] }) => portMappings)
  if (mappings.some(({ name, appProtocol }) => name !== undefined || appProtocol !== undefined))
    yield unsupported('named port mappings')
  const requirements = draft.containerDefinitions.flatMap(
    ({ resourceRequirements = [] }) => resourceRequirements,
  )
  if (requirements.some(({ sharingStrategy }) => sharingStrategy !== undefined))
    yield unsupported('GPU sharing')
  if (requirements.some(isNeuronDevice)) yield unsupported('Neuron devices')
}

/** The devices that only managed instances give out. */
function isNeuronDevice({ type }: ResourceRequirement): boolean {
  return type === 'NeuronDevice'
}

const managedLogDrivers = ['awslogs', 'splunk', 'awsfirelens', 'json-file']

function* managedInstancesProblems(draft: TaskDefinitionDraft): Problems {
  const unsupported = (what: string): string => `Tasks using Managed Instances do not support ${what}.`
  const { networkMode = 'bridge' } = draft
  if (networkMode !== 'awsvpc' && networkMode !== 'host') yield unsupported(`networkMode '${networkMode}'`)
  if (draft.runtimePlatform?.operatingSystemFamily?.startsWith('WINDOWS')) yield unsupported('Windows')
  if (draft.volumes.some(({ dockerVolumeConfiguration }) => dockerVolumeConfiguration))
    yield unsupported('Docker volumes')
  for (const { logConfiguration } of draft.containerDefinitions)
    if (logConfiguration && !managedLogDrivers.includes(logConfiguration.logDriver ?? ''))
      yield notALogDriver(logConfiguration.logDriver, managedLogDrivers)
}

const fargateLogDrivers = ['awslogs', 'splunk', 'awsfirelens']

/** The memory sizes of each CPU size: from, to and step in MiB. 256 CPU units have 512, 1024 and 2048 only. */
const fargateSizes: Readonly<Record<string, readonly [from: number, to: number, step: number]>> = {
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
}

type Sized = Pick<TaskDefinitionDraft, 'cpu' | 'memory' | 'runtimePlatform'>

/** Why Fargate has no task of that size, in CPU units and MiB; undefined when it has. */
export function fargateSizeProblem(sized: Sized): string | undefined {
  return isFargateSize(sized)
    ? undefined
    : `No Fargate configuration exists for given values: ${sized.cpu} CPU, ${sized.memory} memory. See the Amazon ECS documentation for the valid values.`
}

/** Whether Fargate has tasks of that size, in CPU units and MiB. */
export function isFargateSize({ cpu = '', memory = '', runtimePlatform }: Sized): boolean {
  if (runtimePlatform?.operatingSystemFamily?.startsWith('WINDOWS')) {
    if (runtimePlatform.cpuArchitecture === 'ARM64') return false
    if (!['1024', '2048', '4096'].includes(cpu)) return false
  }
  if (cpu === '256') return ['512', '1024', '2048'].includes(memory)
  const [from, to, step] = fargateSizes[cpu] ?? [1, 0, 1]
  const mebibytes = Number(memory)
  return mebibytes >= from && mebibytes <= to && (mebibytes - from) % step === 0
}

function* fargateProblems(draft: TaskDefinitionDraft): Problems {
  const { cpu, memory } = draft
  if (draft.pidMode === 'host')
    yield "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'."
  if (draft.networkMode !== 'awsvpc') yield 'Fargate only supports network mode ‘awsvpc’.'
  if (cpu === undefined) yield "Fargate requires that 'cpu' be defined at the task level."
  if (memory === undefined) yield "Fargate requires that 'memory' be defined at the task level."
  const size = fargateSizeProblem(draft)
  if (size !== undefined) yield size
  if (draft.ipcMode !== undefined) yield 'Tasks using the Fargate launch type do not support ipcMode.'
  const unsupported = (what: string): string => `Fargate compatible task definitions do not support ${what}`
  if (draft.placementConstraints.length > 0) yield unsupported('constraints')
  for (const { dockerVolumeConfiguration, host } of draft.volumes) {
    if (dockerVolumeConfiguration) yield unsupported('dockerVolumeConfiguration')
    if (host?.sourcePath !== undefined) yield unsupported('sourcePath')
  }
  for (const container of draft.containerDefinitions) {
    yield* fargateContainerProblems(container)
    yield* fargateRoleProblems(container, draft.executionRoleArn)
  }
}

function* fargateContainerProblems(container: ContainerDefinition): Problems {
  const unsupported = (what: string): string => `Fargate compatible task definitions do not support ${what}`
  const { linuxParameters = {}, logConfiguration } = container
  if (container.privileged)
    yield 'Fargate requires that the ‘privileged’ setting be ‘false’ at the container level.'
  for (const { type } of container.resourceRequirements ?? [])
    yield `Tasks using the Fargate launch type do not support ${type} resource requirements.`
  if ((linuxParameters.devices ?? []).length > 0) yield unsupported('devices')
  if (linuxParameters.maxSwap !== undefined) yield unsupported('maxSwap')
  if (linuxParameters.swappiness !== undefined) yield unsupported('swappiness')
  if (linuxParameters.sharedMemorySize !== undefined) yield unsupported('sharedMemorySize')
  if ((container.dockerSecurityOptions ?? []).length > 0) yield unsupported('dockerSecurityOptions')
  for (const capability of linuxParameters.capabilities?.add ?? [])
    if (capability !== 'SYS_PTRACE') yield `${capability} is not allowed on Fargate.`
  if ((container.stopTimeout ?? 0) > 120)
    yield 'Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.'
  if (container.firelensConfiguration?.options?.['config-file-type'] === 's3')
    yield "Fargate launch type does not support FirelensConfiguration config file from 's3'"
  if (!logConfiguration) return
  const { logDriver = '', options } = logConfiguration
  if (!fargateLogDrivers.includes(logDriver)) yield notALogDriver(logDriver, fargateLogDrivers)
  if (logDriver === 'awslogs' && !options?.['awslogs-stream-prefix'])
    yield 'Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.'
}

function* fargateRoleProblems(
  { image = '', logConfiguration }: ContainerDefinition,
  executionRoleArn: string | undefined,
): Problems {
  if (executionRoleArn) return
  const needed = 'Fargate requires task definition to have execution role ARN to support'
  if (isEcrImage(image)) yield `${needed} ECR images.`
  if (logConfiguration?.logDriver === 'awslogs') yield `${needed} log driver awslogs.`
}

/** Whether the reference names a private ECR registry in its form at AWS. */
export function isEcrImage(image: string): boolean {
  return /^\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)\//.test(image)
}

function notALogDriver(logDriver: string | undefined, allowed: readonly string[]): string {
  return `${logDriver} is not a valid log driver. Must be one of [${allowed.join(',')}]`
}
