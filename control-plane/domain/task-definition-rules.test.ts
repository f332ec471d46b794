import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { draftOf } from './task-definition-draft.ts'
import { taskDefinitionProblems } from './task-definition-rules.ts'

const definition = (
  app: object,
  more: Partial<RegisterTaskDefinitionRequest> = {},
): RegisterTaskDefinitionRequest => ({
  family: 'f',
  containerDefinitions: [{ name: 'app', image: 'nginx', memory: 100, ...(app as ContainerDefinition) }],
  ...more,
})

test.each<[string, RegisterTaskDefinitionRequest]>([
  [
    "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
    definition({}, { pidMode: 'host', requiresCompatibilities: ['FARGATE'] }),
  ],
  [
    'READY is not a valid dependency condition. Must be one of [START,COMPLETE,SUCCESS,HEALTHY]',
    definition({ dependsOn: [{ containerName: 'app', condition: 'READY' }] }),
  ],
  [
    'files is not a valid ulimit. Must be one of [core,cpu,data,fsize,locks,memlock,msgqueue,nice,nofile,nproc,rss,rtprio,rttime,sigpending,stack]',
    definition({ ulimits: [{ name: 'files', softLimit: 1, hardLimit: 1 }] }),
  ],
  [
    'smtp is not a valid application protocol. Must be one of [http,http2,grpc]',
    definition({ portMappings: [{ containerPort: 25, name: 'mail', appProtocol: 'smtp' }] }),
  ],
  [
    'RISC_V is not a valid CPU architecture. Must be one of [X86_64,ARM64]',
    definition({}, { runtimePlatform: { cpuArchitecture: 'RISC_V' as 'ARM64' } }),
  ],
  [
    'ftp is not a valid environment file type. Must be one of [s3]',
    definition({ environmentFiles: [{ type: 'ftp', value: 'arn:aws:s3:::bucket/key' }] }),
  ],
  [
    'maybe is not a valid version consistency. Must be one of [enabled,disabled]',
    definition({ versionConsistency: 'maybe' }),
  ],
  [
    'world is not a valid volume scope. Must be one of [task,shared]',
    definition({}, { volumes: [{ name: 'v', dockerVolumeConfiguration: { scope: 'world' as 'task' } }] }),
  ],
  [
    'distinctInstance is not a valid placement constraint type. Must be one of [memberOf]',
    definition({}, { placementConstraints: [{ type: 'distinctInstance' as 'memberOf' }] }),
  ],
  [
    'Resource requirements of type InferenceAccelerator are not supported.',
    definition({ resourceRequirements: [{ type: 'InferenceAccelerator', value: 'device_1' }] }),
  ],
])('the first that is refused: %s', (problem, input) => {
  expect(taskDefinitionProblems(draftOf(input), '000000000000').next().value).toBe(problem)
})
