import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { attributes } from '@berth/agent/engine/registration.ts'
import { requiresAttributesOf } from '@berth/control-plane/domain/task-definition-attributes.ts'
import { draftOf } from '@berth/control-plane/domain/task-definition-draft.ts'
import { expect, test } from 'vitest'

const advertised = new Set(
  attributes({
    apiVersion: '1.47',
    loggingDrivers: ['json-file', 'none'],
    external: false,
    cpuArchitecture: 'x86_64',
    custom: {},
  }).map(({ name }) => name),
)
/** What the definition asks of an agent that ours does not do. */
function lacking(
  app: Partial<ContainerDefinition>,
  more: Partial<RegisterTaskDefinitionRequest> = {},
): readonly string[] {
  const containerDefinitions = [{ name: 'app', image: 'nginx', memory: 100, ...app }]
  const draft = draftOf({ family: 'f', containerDefinitions, ...more })
  return requiresAttributesOf(draft, 'localhost:4566').filter((name) => !advertised.has(name))
}
const secrets = ['parameter', 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s'].map((valueFrom) => ({
  name: 'S',
  valueFrom,
}))

// Our agent refuses each of these, so that it would fail there: placement must not get so far.
test.each<[string, Partial<ContainerDefinition>, Partial<RegisterTaskDefinitionRequest>?]>([
  ['routed logs', { logConfiguration: { logDriver: 'awsfirelens' } }],
  ['credential specs', { credentialSpecs: ['credentialspec:file'] }],
  ['EFS', {}, { volumes: [{ name: 'v', efsVolumeConfiguration: { fileSystemId: 'fs-1' } }] }],
  ['volumes configured at launch', {}, { volumes: [{ name: 'v', configuredAtLaunch: true }] }],
  [
    'volumes of a plugin',
    {},
    { volumes: [{ name: 'v', dockerVolumeConfiguration: { driver: 'rexray', scope: 'shared' } }] },
  ],
  ['S3 Files', {}, { volumes: [{ name: 'v', s3filesVolumeConfiguration: { fileSystemArn: 'arn' } }] }],
  ['a process namespace of the task', {}, { pidMode: 'task' }],
  ['an IPC namespace of the task', {}, { ipcMode: 'task' }],
  ['a network interface of the task', {}, { networkMode: 'awsvpc' }],
  ['fault injection', {}, { enableFaultInjection: true }],
])('a definition with %s is placed on none of our agents', (_, app, more) => {
  expect(lacking(app, more)).not.toEqual([])
})

test('a definition with secrets wherever they may be is placed', () => {
  const logConfiguration = { logDriver: 'json-file' as const, secretOptions: secrets }
  const repositoryCredentials = { credentialsParameter: 'arn' }
  expect(lacking({ secrets, logConfiguration, repositoryCredentials })).toEqual([])
})

test('a definition with environment files and a log router is placed where Docker knows the router', () => {
  const app: ContainerDefinition = {
    environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::bucket/key' }],
    firelensConfiguration: { type: 'fluentbit', options: { 'config-file-type': 's3' } },
  }
  expect(lacking(app)).toEqual([])
})

test('a definition with roles, a health check, an order and an image of our registry is placed', () => {
  const app: ContainerDefinition = {
    image: 'localhost:4566/web:1',
    privileged: true,
    stopTimeout: 5,
    healthCheck: { command: ['CMD', 'true'], startPeriod: 1 },
    restartPolicy: { enabled: true },
    portMappings: [{ containerPortRange: '80-90' }],
    logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m' } },
    linuxParameters: { maxSwap: 0, tmpfs: [{ containerPath: '/t', size: 1 }] },
  }
  const roles = { taskRoleArn: 'task', executionRoleArn: 'execution', networkMode: 'host' as const }
  const { portMappings: _, ...inHostMode } = app
  expect(lacking(app, { ...roles, networkMode: 'bridge' })).toEqual([])
  expect(lacking(inHostMode, roles)).toEqual([])
})
