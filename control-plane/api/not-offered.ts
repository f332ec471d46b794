import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

/**
 * What task definitions may ask for and Berth's agent does not do, with the capability that such a task needs of its
 * instance: placement finds no instance that has it. An official agent that offers it gets the task.
 */
export const notOfferedCapabilities: ReadonlyArray<readonly [parameter: string, attribute: string]> = [
  ['containerDefinitions[].credentialSpecs', 'ecs.capability.gmsa'],
  ['containerDefinitions[].environmentFiles', 'ecs.capability.env-files.s3'],
  ['containerDefinitions[].firelensConfiguration', 'ecs.capability.firelens.fluentbit'],
  [
    'containerDefinitions[].logConfiguration.secretOptions',
    'ecs.capability.secrets.ssm.bootstrap.log-driver',
  ],
  [
    'containerDefinitions[].repositoryCredentials',
    'ecs.capability.private-registry-authentication.secretsmanager',
  ],
  ['containerDefinitions[].secrets', 'ecs.capability.secrets.ssm.environment-variables'],
  ['enableFaultInjection', 'ecs.capability.fault-injection'],
  ['ephemeralStorage', 'ecs.capability.extensible-ephemeral-storage'],
  ['ipcMode', 'ecs.capability.pid-ipc-namespace-sharing'],
  ['pidMode', 'ecs.capability.pid-ipc-namespace-sharing'],
  ['proxyConfiguration', 'ecs.capability.aws-appmesh'],
  ['volumes[].configuredAtLaunch', 'ecs.capability.storage.ebs-task-volume-attach'],
  ['volumes[].efsVolumeConfiguration', 'ecs.capability.efs'],
  ['volumes[].fsxWindowsFileServerVolumeConfiguration', 'ecs.capability.fsxWindowsFileServer'],
  ['volumes[].s3filesVolumeConfiguration', 'ecs.capability.s3files'],
]

const ecs = exceptionsOf('ecs', 'partly')
const placedNowhere = "kept; Berth's agent does not offer it, so that tasks are not placed: `ATTRIBUTE`"

/** The members of daemon task definitions that are the same. */
const ofDaemons = ['environmentFiles', 'firelensConfiguration', 'repositoryCredentials', 'secrets'].map(
  (member) => `containerDefinitions[].${member}`,
)

/** Everything that is taken, and for which there is no capacity yet, for docs/compatibility.md. */
export const notOffered: readonly ParameterException[] = [
  ...notOfferedCapabilities.map(([parameter]) => ecs('RegisterTaskDefinition', parameter, placedNowhere)),
  ...[...ofDaemons, 'pidMode', 'ipcMode'].map((parameter) =>
    ecs('RegisterDaemonTaskDefinition', parameter, placedNowhere),
  ),
  ecs('RegisterTaskDefinition', 'networkMode', 'tasks with `awsvpc` are not placed yet: `ATTRIBUTE`'),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(operation, 'overrides.containerOverrides[].environmentFiles', placedNowhere),
  ),
  ...['RunTask', 'CreateService', 'CreateTaskSet'].map((operation) =>
    ecs(operation, 'launchType', 'for `FARGATE` there is no capacity yet: `RESOURCE:FARGATE`'),
  ),
  ...['RunTask', 'CreateService', 'UpdateService', 'CreateTaskSet'].map((operation) =>
    ecs(
      operation,
      'capacityProviderStrategy',
      'for `FARGATE` and `FARGATE_SPOT` there is no capacity yet: `RESOURCE:FARGATE`',
    ),
  ),
  ...['RunTask', 'StartTask', 'CreateService', 'UpdateService', 'CreateTaskSet'].map((operation) =>
    ecs(operation, 'networkConfiguration', 'checked; for tasks with `awsvpc`, which are not placed yet'),
  ),
]
