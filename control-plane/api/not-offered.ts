import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

/**
 * What task definitions may ask for and Berth's agent does not do, with the capability that such a task needs of its
 * instance: placement finds no instance that has it. An official agent that offers it gets the task.
 */
export const notOfferedCapabilities: ReadonlyArray<readonly [parameter: string, attribute: string]> = [
  ['containerDefinitions[].credentialSpecs', 'ecs.capability.gmsa'],
  ['enableFaultInjection', 'ecs.capability.fault-injection'],
  ['ephemeralStorage', 'ecs.capability.extensible-ephemeral-storage'],
  ['proxyConfiguration', 'ecs.capability.aws-appmesh'],
  ['volumes[].configuredAtLaunch', 'ecs.capability.storage.ebs-task-volume-attach'],
  ['volumes[].fsxWindowsFileServerVolumeConfiguration', 'ecs.capability.fsxWindowsFileServer'],
  ['volumes[].s3filesVolumeConfiguration', 'ecs.capability.s3files'],
]

const ecs = exceptionsOf('ecs', 'partly')
const placedNowhere = "kept; Berth's agent does not offer it, so that tasks are not placed: `ATTRIBUTE`"

/** Everything that is taken, and for which there is no capacity yet, for docs/compatibility.md. */
export const notOffered: readonly ParameterException[] = [
  ...notOfferedCapabilities
    .filter(([parameter]) => parameter !== 'ephemeralStorage')
    .map(([parameter]) => ecs('RegisterTaskDefinition', parameter, placedNowhere)),
  ecs(
    'RegisterTaskDefinition',
    'ephemeralStorage',
    'on Fargate, and a limit only where the storage driver of its host has quotas',
  ),
  ecs(
    'RegisterTaskDefinition',
    'volumes[].efsVolumeConfiguration',
    "placed on instances whose agent's BERTH_EFS_SERVERS names NFS servers; mounted without TLS and IAM",
  ),
]
