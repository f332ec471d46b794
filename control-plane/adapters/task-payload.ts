import type { ContainerDefinition, Secret, Volume } from '@aws-sdk/client-ecs'
import type { ElasticNetworkInterface } from '@berth/agent-protocol/network-interface.ts'
import type {
  PayloadContainer,
  PayloadRegistryAuthentication,
  PayloadSecret,
  PayloadTask,
  PayloadVolume,
} from '@berth/agent-protocol/payload.ts'
import { arnName, parseArn } from '#domain/arn.ts'
import { executeCommandAgent } from '#domain/managed-agent.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { applyOverrides } from '#domain/task-overrides.ts'
import type { Task } from '#domain/task.ts'
import { dockerConfig } from './task-payload-docker.ts'
import { logsAuthStrategy } from './task-payload-logs.ts'

/** What a payload needs to know besides the rows. */
export interface PayloadFacts {
  /** The name of the service the task belongs to. */
  readonly serviceName?: string
  /** Of a task of network mode awsvpc. */
  readonly networkInterface?: ElasticNetworkInterface
  /** The digests that the task's deployment is settled on, by container. */
  readonly imageDigests?: ReadonlyMap<string, string>
  /** The host part of image references to Berth's own registry: `localhost:4566`. */
  readonly registryHost: string
  /** The URL at which the task's agent reaches the ECR API of this control plane. */
  readonly ecrUrl: string
  /** The account's setting `defaultLogDriverMode`; `blocking`, as Docker has it, when absent. */
  readonly logDriverMode?: string
}

/**
 * The task as its agent gets it, with overrides already worked in: agents know of no overrides but the command. The
 * shape is section 5 of docs/agent-protocol.md.
 */
export function taskPayload(task: Task, taskDefinition: TaskDefinition, facts: PayloadFacts): PayloadTask {
  const effective = applyOverrides(taskDefinition, task.overrides)
  const { cpu, memory, networkMode, pidMode, ipcMode } = effective
  return {
    arn: task.taskArn,
    desiredStatus: task.desiredStatus,
    taskClusterArn: task.clusterArn,
    family: effective.family,
    version: String(effective.revision),
    taskDefinitionAccountId: effective.accountId,
    ...(cpu !== undefined && { cpu: Number(cpu) / 1024 }),
    ...(memory !== undefined && { memory: Number(memory) }),
    networkMode: networkMode ?? 'bridge',
    ...(pidMode !== undefined && { pidMode }),
    ...(ipcMode !== undefined && { ipcMode }),
    overrides: '{}',
    containers: effective.containerDefinitions.map((container) =>
      payloadContainer(container, effective, task, facts),
    ),
    volumes: effective.volumes.map(payloadVolume),
    ...payloadGpus(task),
    launchType: task.launchType,
    ...(facts.serviceName !== undefined && { serviceName: facts.serviceName }),
    group: task.group,
    ...(effective.enableFaultInjection && { enableFaultInjection: true }),
    ...payloadFargate(task),
    ...(facts.networkInterface && { elasticNetworkInterfaces: [facts.networkInterface] }),
  }
}

/**
 * By it programs know that ECS runs them. It is the control plane that says so, not the agent; of external instances AWS
 * documents no value, so there it says nothing.
 */
const executionEnvironment: Readonly<Record<Task['launchType'], Readonly<Record<string, string>>>> = {
  EC2: { AWS_EXECUTION_ENV: 'AWS_ECS_EC2' },
  FARGATE: { AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE' },
  MANAGED_INSTANCES: { AWS_EXECUTION_ENV: 'AWS_ECS_MANAGED_INSTANCES' },
  EXTERNAL: {},
}

function payloadContainer(
  container: ContainerDefinition,
  { networkMode, executionRoleArn }: TaskDefinition,
  task: Task,
  facts: PayloadFacts,
): PayloadContainer {
  const { name = '', command, entryPoint, links, environmentFiles, restartPolicy } = container
  const containerArn = task.containers.find((known) => known.name === name)?.containerArn
  const secrets = payloadSecrets(container, task)
  const logsAuth = logsAuthStrategy(container, executionRoleArn)
  const registryAuthentication = registryAuthenticationOf(container, task, facts, Boolean(executionRoleArn))
  return {
    name,
    image: pinned(container, facts.imageDigests?.get(name)),
    ...(containerArn !== undefined && { containerArn }),
    ...(task.enableExecuteCommand && { managedAgents: [{ name: executeCommandAgent }] }),
    essential: container.essential ?? true,
    ...(command?.length && { command }),
    ...(entryPoint?.length && { entryPoint }),
    cpu: container.cpu ?? 0,
    memory: container.memory ?? 0,
    environment: {
      ...executionEnvironment[task.launchType],
      ...Object.fromEntries((container.environment ?? []).map((pair) => [pair.name ?? '', pair.value ?? ''])),
    },
    ...(environmentFiles?.length && {
      environmentFiles: environmentFiles.map(({ value = '', type = 's3' }) => ({ value, type })),
    }),
    ...(secrets.length > 0 && { secrets }),
    portMappings: (container.portMappings ?? []).map(payloadPortMapping),
    ...(links?.length && { links }),
    ...containerPaths(container),
    ...containerOrder(container),
    overrides: '{}',
    dockerConfig: dockerConfig(container, networkMode, {
      region: task.region,
      taskId: arnName(task.taskArn),
      // One address serves all APIs.
      logsUrl: facts.ecrUrl,
      logDriverMode: facts.logDriverMode ?? 'blocking',
    }),
    ...(logsAuth !== undefined && { logsAuthStrategy: logsAuth }),
    // Lower case: with AWS's own DOCKER the agent runs the check but never reports it.
    ...(container.healthCheck && { healthCheckType: 'docker' }),
    ...(registryAuthentication && { registryAuthentication }),
    ...(container.firelensConfiguration && {
      firelensConfiguration: {
        type: container.firelensConfiguration.type ?? 'fluentbit',
        ...(container.firelensConfiguration.options && { options: container.firelensConfiguration.options }),
      },
    }),
    ...(container.credentialSpecs?.length && { credentialSpecs: container.credentialSpecs }),
    ...(restartPolicy && {
      restartPolicy: {
        enabled: restartPolicy.enabled ?? false,
        ...(restartPolicy.ignoredExitCodes && { ignoredExitCodes: restartPolicy.ignoredExitCodes }),
        ...(restartPolicy.restartAttemptPeriod !== undefined && {
          restartAttemptPeriod: restartPolicy.restartAttemptPeriod,
        }),
      },
    }),
  }
}

function payloadFargate({
  launchType,
  availabilityZone,
  ephemeralStorageGiB,
}: Task): Pick<PayloadTask, 'availabilityZone' | 'ephemeralStorageGiB'> {
  if (launchType !== 'FARGATE') return {}
  return {
    ...(availabilityZone !== undefined && { availabilityZone }),
    ...(ephemeralStorageGiB !== undefined && { ephemeralStorageGiB }),
  }
}

function payloadGpus({ containers }: Task): Pick<PayloadTask, 'associations'> {
  const associations = containers.flatMap(({ name, gpuIds = [] }) =>
    gpuIds.map((id) => ({ type: 'gpu', name: id, containers: [name] })),
  )
  return associations.length > 0 ? { associations } : {}
}

/**
 * By the digest that the first tasks of the deployment got, so that a tag that has moved since changes nothing until
 * the next one: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
 */
function pinned({ image = '', versionConsistency }: ContainerDefinition, digest: string | undefined): string {
  if (digest === undefined || versionConsistency === 'disabled' || image.includes('@')) return image
  return `${image.replace(/:[^/:]+$/, '')}@${digest}`
}

function payloadPortMapping(
  mapping: NonNullable<ContainerDefinition['portMappings']>[number],
): PayloadContainer['portMappings'][number] {
  const { containerPort, containerPortRange, hostPort = 0, protocol = 'tcp' } = mapping
  if (containerPortRange !== undefined) return { containerPortRange, protocol }
  return { ...(containerPort !== undefined && { containerPort }), hostPort, protocol }
}

function containerPaths(
  container: ContainerDefinition,
): Pick<PayloadContainer, 'volumesFrom' | 'mountPoints'> {
  return {
    volumesFrom: (container.volumesFrom ?? []).map(({ sourceContainer = '', readOnly = false }) => ({
      sourceContainer,
      readOnly,
    })),
    mountPoints: (container.mountPoints ?? []).map(
      ({ sourceVolume = '', containerPath = '', readOnly = false }) => ({
        sourceVolume,
        containerPath,
        readOnly,
      }),
    ),
  }
}

function containerOrder(
  container: ContainerDefinition,
): Pick<PayloadContainer, 'dependsOn' | 'startTimeout' | 'stopTimeout'> {
  const { dependsOn, startTimeout, stopTimeout } = container
  return {
    ...(dependsOn?.length && {
      dependsOn: dependsOn.map(({ containerName = '', condition = 'START' }) => ({
        containerName,
        condition,
      })),
    }),
    ...(startTimeout !== undefined && { startTimeout }),
    ...(stopTimeout !== undefined && { stopTimeout }),
  }
}

/** A volume with neither host nor driver makes the official agent refuse the task, so an empty `host` is sent. */
function payloadVolume(volume: Volume): PayloadVolume {
  const { name = '', host, dockerVolumeConfiguration: docker, efsVolumeConfiguration: efs } = volume
  if (docker)
    return {
      name,
      type: 'docker',
      dockerVolumeConfiguration: {
        scope: docker.scope ?? 'task',
        autoprovision: docker.autoprovision ?? false,
        driver: docker.driver ?? 'local',
        ...(docker.driverOpts && { driverOpts: docker.driverOpts }),
        ...(docker.labels && { labels: docker.labels }),
      },
    }
  if (efs) return { name, type: 'efs', efsVolumeConfiguration: payloadEfs(efs) }
  return { name, type: 'host', host: host?.sourcePath ? { sourcePath: host.sourcePath } : {} }
}

function payloadEfs(
  efs: NonNullable<Volume['efsVolumeConfiguration']>,
): NonNullable<PayloadVolume['efsVolumeConfiguration']> {
  const { fileSystemId = '', rootDirectory, transitEncryption, transitEncryptionPort } = efs
  const { accessPointId, iam } = efs.authorizationConfig ?? {}
  return {
    fileSystemId,
    ...(rootDirectory !== undefined && { rootDirectory }),
    ...(transitEncryption !== undefined && { transitEncryption }),
    ...(transitEncryptionPort !== undefined && { transitEncryptionPort }),
    ...(efs.authorizationConfig && {
      authorizationConfig: {
        ...(accessPointId !== undefined && { accessPointId }),
        ...(iam !== undefined && { iam }),
      },
    }),
  }
}

/** Secrets go by name; the agent fetches them itself. Who keeps one shows in how it is named. */
function payloadSecrets(container: ContainerDefinition, task: Task): readonly PayloadSecret[] {
  const secretOf = (
    { name = '', valueFrom = '' }: Secret,
    kind: Pick<PayloadSecret, 'type' | 'target'>,
  ): PayloadSecret => {
    const arn = parseArn(valueFrom)
    const parameter = arn?.service === 'ssm' && arn.resource.startsWith('parameter/')
    return {
      name,
      // Agents ask for a parameter by this text and look for it in the answer, which has names whatever was asked for.
      valueFrom: parameter ? arn.resource.slice('parameter'.length) : valueFrom,
      region: arn?.region || task.region,
      provider: arn?.service === 'secretsmanager' ? 'asm' : 'ssm',
      ...kind,
    }
  }
  return [
    ...(container.secrets ?? []).map((secret) => secretOf(secret, { type: 'ENVIRONMENT_VARIABLE' })),
    ...(container.logConfiguration?.secretOptions ?? []).map((secret) =>
      secretOf(secret, { type: 'ENVIRONMENT_VARIABLE', target: 'LOG_DRIVER' }),
    ),
  ]
}

const ecrHost = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\./

/**
 * How the agent gets leave to pull. An image of Berth's own registry, or one named as AWS names ECR's, is asked for
 * with a token of this control plane's ECR, which the agent signs for as the task's execution role or, where there is
 * none, as its instance.
 */
function registryAuthenticationOf(
  { image = '', repositoryCredentials }: ContainerDefinition,
  task: Task,
  { registryHost, ecrUrl }: PayloadFacts,
  useExecutionRole: boolean,
): PayloadRegistryAuthentication | undefined {
  const credentialsParameter = repositoryCredentials?.credentialsParameter
  if (credentialsParameter !== undefined) {
    const region = parseArn(credentialsParameter)?.region || task.region
    return { type: 'asm', asmAuthData: { credentialsParameter, region } }
  }
  const [, accountId, region] = ecrHost.exec(image) ?? []
  if (accountId === undefined && !image.startsWith(`${registryHost}/`)) return undefined
  return {
    type: 'ecr',
    ecrAuthData: {
      registryId: accountId ?? task.accountId,
      region: region ?? task.region,
      endpointOverride: ecrUrl,
      useExecutionRole,
    },
  }
}
