import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { Row } from './container-parameters-row.ts'

/** What no instance here can, and why placement says no. */
export const refusals: ReadonlyArray<
  readonly [what: string, Partial<ContainerDefinition>, Row['more'], reason: string]
> = [
  ['more GPUs than there are', { resourceRequirements: [{ type: 'GPU', value: '3' }] }, {}, 'RESOURCE:GPU'],
  [
    'runtimePlatform of another architecture',
    {},
    { runtimePlatform: { cpuArchitecture: process.arch === 'arm64' ? 'X86_64' : 'ARM64' } },
    'ATTRIBUTE',
  ],
  [
    'runtimePlatform Windows',
    {},
    { runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } },
    'ATTRIBUTE',
  ],
  ['credentialSpecs', { credentialSpecs: ['credentialspec:arn:aws:s3:::b/k'] }, {}, 'ATTRIBUTE'],
  ['an SELinux label', { dockerSecurityOptions: ['label:type:mine'] }, {}, 'ATTRIBUTE'],
  [
    'a volume plugin',
    {},
    { volumes: [{ name: 'v', dockerVolumeConfiguration: { driver: 'rexray/ebs' } }] },
    'ATTRIBUTE',
  ],
]
