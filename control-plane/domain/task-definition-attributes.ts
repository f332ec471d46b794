/** Which attributes a container instance must have to run a task definition: the agent's capabilities it makes use of. */
import type { ContainerDefinition, Secret, TaskOverride, Volume } from '@aws-sdk/client-ecs'
import { isEcrImage } from './task-definition-compatibility.ts'
import type { TaskDefinitionDraft } from './task-definition-draft.ts'

const agent = (capability: string): string => `com.amazonaws.ecs.capability.${capability}`
const ecs = (capability: string): string => `ecs.capability.${capability}`
const docker = (version: string): string => agent(`docker-remote-api.${version}`)

/** The names, each once. `registryHost` is the host part of images in this installation's own registry. */
export function requiresAttributesOf(draft: TaskDefinitionDraft, registryHost: string): readonly string[] {
  const found = new Set(taskAttributes(draft))
  for (const container of draft.containerDefinitions) {
    for (const name of containerAttributes(container)) found.add(name)
    for (const name of imageAttributes(container, draft, registryHost)) found.add(name)
    for (const name of logAttributes(container, draft)) found.add(name)
  }
  for (const volume of draft.volumes) for (const name of volumeAttributes(volume)) found.add(name)
  return [...found].toSorted()
}

/** What the overrides of a task require on top, of all that can be overridden. */
export function overridesAttributesOf({ containerOverrides = [] }: TaskOverride): readonly string[] {
  return containerOverrides.some(({ environmentFiles = [] }) => environmentFiles.length > 0)
    ? [ecs('env-files.s3')]
    : []
}

function* taskAttributes(draft: TaskDefinitionDraft): Generator<string> {
  if (draft.networkMode === 'awsvpc') yield* [ecs('task-eni'), docker('1.18')]
  if (draft.taskRoleArn !== undefined) {
    yield agent('task-iam-role')
    if (draft.networkMode === 'host') yield agent('task-iam-role-network-host')
  }
  if (draft.pidMode !== undefined || draft.ipcMode !== undefined) yield ecs('pid-ipc-namespace-sharing')
  if (Number(draft.cpu ?? 0) > 10_240) yield ecs('increased-task-cpu-limit')
  if (draft.ephemeralStorage) yield ecs('extensible-ephemeral-storage')
  if (draft.proxyConfiguration) yield ecs('aws-appmesh')
  if (draft.enableFaultInjection) yield ecs('fault-injection')
}

function* containerAttributes(container: ContainerDefinition): Generator<string> {
  const { linuxParameters = {}, healthCheck, user, hostname, workingDirectory, privileged } = container
  const { ulimits, dockerLabels, dnsServers, dnsSearchDomains, extraHosts } = container
  // Lists count that are there, were they empty: so real task definitions show.
  if (ulimits || dockerLabels) yield docker('1.18')
  if (container.memoryReservation !== undefined) yield docker('1.21')
  if (
    user !== undefined ||
    hostname !== undefined ||
    workingDirectory !== undefined ||
    privileged ||
    dnsServers ||
    dnsSearchDomains ||
    extraHosts
  )
    yield docker('1.17')
  if (container.privileged) yield agent('privileged-container')
  if (linuxParameters.tmpfs || linuxParameters.devices || linuxParameters.sharedMemorySize !== undefined)
    yield docker('1.22')
  if (linuxParameters.initProcessEnabled) yield docker('1.25')
  if (linuxParameters.maxSwap !== undefined || linuxParameters.swappiness !== undefined) yield docker('1.32')
  for (const spec of container.credentialSpecs ?? [])
    yield ecs(spec.startsWith('credentialspecdomainless:') ? 'gmsa-domainless' : 'gmsa')
  for (const option of container.dockerSecurityOptions ?? []) {
    if (option.startsWith('label:')) yield agent('selinux')
    if (option.startsWith('apparmor:')) yield agent('apparmor')
    if (option.startsWith('no-new-privileges')) yield docker('1.23')
    if (option.startsWith('credentialspec:')) yield ecs('gmsa')
  }
  if (healthCheck) {
    yield ecs('container-health-check')
    yield docker(healthCheck.startPeriod === undefined ? '1.24' : '1.29')
  }
  for (const secret of container.secrets ?? []) yield ecs(`${secretStore(secret)}.environment-variables`)
  if ((container.environmentFiles ?? []).length > 0) yield ecs('env-files.s3')
  const ordered = (container.dependsOn ?? []).length > 0
  if (ordered || container.startTimeout !== undefined || container.stopTimeout !== undefined)
    yield ecs('container-ordering')
  if (container.portMappings?.some(({ containerPortRange }) => containerPortRange !== undefined))
    yield ecs('network.container-port-range')
  if (container.restartPolicy?.enabled) yield ecs('container-restart-policy')
  if (container.repositoryCredentials) yield ecs('private-registry-authentication.secretsmanager')
}

function* imageAttributes(
  { image = '' }: ContainerDefinition,
  { executionRoleArn }: TaskDefinitionDraft,
  registryHost: string,
): Generator<string> {
  if (!isEcrImage(image) && !image.startsWith(`${registryHost}/`)) return
  yield agent('ecr-auth')
  if (executionRoleArn !== undefined) yield ecs('execution-role-ecr-pull')
}

function* logAttributes(
  { logConfiguration, firelensConfiguration }: ContainerDefinition,
  { executionRoleArn }: TaskDefinitionDraft,
): Generator<string> {
  if (firelensConfiguration) {
    yield ecs(`firelens.${firelensConfiguration.type}`)
    const file = firelensConfiguration.options?.['config-file-type']
    if (file !== undefined) yield ecs(`firelens.options.config.${file}`)
  }
  if (!logConfiguration) return
  const { logDriver, options = {}, secretOptions = [] } = logConfiguration
  yield agent(`logging-driver.${logDriver}`)
  // Real task definitions show one of the two, never both for their logs alone.
  yield docker(Object.keys(options).length > 0 ? '1.19' : '1.18')
  for (const secret of secretOptions) yield ecs(`${secretStore(secret)}.bootstrap.log-driver`)
  if (logDriver === 'awsfirelens' && options['log-driver-buffer-limit'] !== undefined)
    yield ecs('logging-driver.awsfirelens.log-driver-buffer-limit')
  if (logDriver !== 'awslogs') return
  if (executionRoleArn !== undefined) yield ecs('execution-role-awslogs')
  if (options['mode'] !== undefined || options['max-buffer-size'] !== undefined) yield docker('1.28')
  if (options['awslogs-create-group'] !== undefined) yield docker('1.29')
}

function* volumeAttributes(volume: Volume): Generator<string> {
  if (volume.efsVolumeConfiguration) yield* [ecs('efs'), ecs('efsAuth'), docker('1.25')]
  if (volume.dockerVolumeConfiguration)
    yield* [ecs(`docker-plugin.${pluginName(volume.dockerVolumeConfiguration)}`), docker('1.25')]
  if (volume.configuredAtLaunch) yield ecs('storage.ebs-task-volume-attach')
  if (volume.s3filesVolumeConfiguration) yield ecs('s3files')
  if (volume.fsxWindowsFileServerVolumeConfiguration) yield ecs('fsxWindowsFileServer')
}

/** Agents write the tag of a plugin with a period: an attribute's name has no colon. */
function pluginName({ driver = 'local' }: NonNullable<Volume['dockerVolumeConfiguration']>): string {
  return driver.replace(':', '.')
}

function secretStore({ valueFrom = '' }: Secret): string {
  return valueFrom.includes(':secretsmanager:') ? 'secrets.asm' : 'secrets.ssm'
}
