import { expect, test } from 'vitest'
import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/acs.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { createBody, publishesPorts } from './container-spec.ts'
import { newTaskRecord, type TaskRecord } from './task-record.ts'

const options = { cluster: 'proof', region: 'eu-west-1', taskCpuMemoryLimit: true }

function record(container: Partial<PayloadContainer>, task: Partial<PayloadTask> = {}): TaskRecord {
  const plain: PayloadContainer = {
    name: 'web',
    image: 'web:1',
    essential: true,
    cpu: 0,
    memory: 0,
    environment: {},
    portMappings: [],
    volumesFrom: [],
    mountPoints: [],
    overrides: '{}',
    dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' },
  }
  return newTaskRecord(
    {
      arn: 'arn:task/1',
      desiredStatus: 'RUNNING',
      family: 'rich',
      version: '7',
      containers: [
        { ...plain, ...container },
        { ...plain, name: 'other' },
      ],
      volumes: [],
      ...task,
    },
    idsFrom(prng(1)),
    0,
  )
}
const docker = (config: object, hostConfig: object = {}): Partial<PayloadContainer> => ({
  dockerConfig: { config: JSON.stringify(config), hostConfig: JSON.stringify(hostConfig), version: '1.24' },
})
const body = (container: Partial<PayloadContainer>, task?: Partial<PayloadTask>) =>
  createBody(record(container, task), 'web', options)

test('labels and environment are those of the official agent', () => {
  const made = body(
    { environment: { FOO: 'bar', AWS_REGION: 'mine' } },
    {
      roleCredentials: { credentialsId: 'c-1' },
    },
  )
  expect(made.Labels).toEqual({
    'com.amazonaws.ecs.cluster': 'proof',
    'com.amazonaws.ecs.container-name': 'web',
    'com.amazonaws.ecs.task-arn': 'arn:task/1',
    'com.amazonaws.ecs.task-definition-family': 'rich',
    'com.amazonaws.ecs.task-definition-version': '7',
  })
  expect(made.Env).toEqual([
    'AWS_REGION=mine',
    'AWS_DEFAULT_REGION=eu-west-1',
    'FOO=bar',
    expect.stringMatching(/^ECS_CONTAINER_METADATA_URI=http:\/\/169\.254\.170\.2\/v3\/[0-9a-f-]{36}$/),
    expect.stringMatching(/^ECS_CONTAINER_METADATA_URI_V4=http:\/\/169\.254\.170\.2\/v4\/[0-9a-f-]{36}$/),
    expect.stringMatching(/^ECS_AGENT_URI=http:\/\/169\.254\.170\.2\/api\/[0-9a-f-]{36}$/),
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/c-1',
  ])
})

test.each([
  [0, 0, 2, undefined],
  [1, 3, 2, 6],
  [512, 128, 512, 128],
  [999_999, 64, 262_144, 64],
])('cpu %i and memory %i become shares %i and MiB %s', (cpu, memory, shares, mib) => {
  const { HostConfig: host } = body({ cpu, memory })
  expect(host.CpuShares).toBe(shares)
  expect(host.Memory).toBe(mib === undefined ? undefined : mib * 2 ** 20)
})

test("a task's own limits bind containers that have none", () => {
  const { HostConfig: host } = body({}, { cpu: 0.25, memory: 512 })
  expect(host).toMatchObject({ Memory: 512 * 2 ** 20, CpuPeriod: 100_000, CpuQuota: 25_000 })
  expect(body({ memory: 64 }, { memory: 512 }).HostConfig.Memory).toBe(64 * 2 ** 20)
})

test("in a task's cgroup its limits bind no container by itself", () => {
  const parent = { '*': { hostConfig: { CgroupParent: '/ecs/1' } } }
  const made = createBody(record({ memory: 64 }, { cpu: 0.25, memory: 512 }), 'other', {
    ...options,
    taskCpuMemoryLimit: false,
    contributions: [parent],
  })
  expect(made.HostConfig).toEqual({ CpuShares: 2, CgroupParent: '/ecs/1' })
})

test("the task definition's docker settings lie over the agent's, labels are merged", () => {
  const made = body(
    docker({ User: 'nobody', Labels: { mine: '1' } }, { NetworkMode: 'host', CapAdd: ['NET_ADMIN'] }),
  )
  expect(made['User']).toBe('nobody')
  expect(made.Labels).toMatchObject({ mine: '1', 'com.amazonaws.ecs.container-name': 'web' })
  expect(made.HostConfig).toMatchObject({ NetworkMode: 'host', CapAdd: ['NET_ADMIN'], CpuShares: 2 })
})

test('command and entry point stand only where they are given; an override wins', () => {
  expect(body({})).not.toHaveProperty('Cmd')
  expect(body({})).not.toHaveProperty('Entrypoint')
  expect(body({ command: ['a'], entryPoint: ['b'] })).toMatchObject({ Cmd: ['a'], Entrypoint: ['b'] })
  expect(body({ command: ['a'], overrides: '{"command":["c"]}' }).Cmd).toEqual(['c'])
})

test('volumes are bound by path or by the name Docker knows them by', () => {
  const volumes: PayloadTask['volumes'] = [
    { name: 'path', host: { sourcePath: '/srv' } },
    { name: 'empty', host: {} },
    { name: 'shared', type: 'docker', dockerVolumeConfiguration: { scope: 'shared' } },
  ]
  const mountPoints = [
    { sourceVolume: 'path', containerPath: '/a', readOnly: true },
    { sourceVolume: 'empty', containerPath: '/b' },
    { sourceVolume: 'shared', containerPath: '/c' },
  ]
  expect(body({ mountPoints }, { volumes }).HostConfig.Binds).toEqual([
    '/srv:/a:ro',
    expect.stringMatching(/^ecs-rich-7-empty-[0-9a-f]{20}:\/b$/),
    'shared:/c',
  ])
})

test('links and volumes of others name the containers as Docker does', () => {
  const { HostConfig: host } = body({
    links: ['other:db'],
    volumesFrom: [{ sourceContainer: 'other', readOnly: true }],
  })
  expect(host.Links).toEqual([expect.stringMatching(/^ecs-rich-7-other-[0-9a-f]{20}:db$/)])
  expect(host.VolumesFrom).toEqual([expect.stringMatching(/^ecs-rich-7-other-[0-9a-f]{20}:ro$/)])
})

test.each([
  [{}, {}, true],
  [{}, { NetworkMode: 'bridge' }, true],
  [{}, { NetworkMode: 'host' }, false],
  [{}, { NetworkMode: 'none' }, false],
  [{ NetworkDisabled: true }, {}, false],
])('config %j and host config %j publish ports: %s', (config, hostConfig, expected) => {
  expect(publishesPorts(record(docker(config, hostConfig)), 'web')).toBe(expected)
})

test.each([
  [{ overrides: '{"cpu":1}' }, /unknown field "cpu"/],
  [{ dependsOn: [{ containerName: 'nobody', condition: 'START' as const }] }, /unknown container nobody/],
  [{ mountPoints: [{ sourceVolume: 'nothing', containerPath: '/x' }] }, /unknown volume nothing/],
  [{ healthCheckType: 'docker' as const }, /DockerClientConfigError/],
  [{ dockerConfig: { config: '[]', hostConfig: '{}', version: '1' } }, /not a JSON object/],
  [{ credentialSpecs: ['credentialspec:file'] }, /credential specs/],
])('a container with %j cannot be run', (container, message) => {
  expect(() => record(container)).toThrow(message)
})

test('the cluster of a Fargate task is its own, not that of its host', () => {
  const cluster = 'arn:aws:ecs:eu-west-1:000000000000:cluster/mine'
  const label = (launchType: string) =>
    body({}, { launchType, taskClusterArn: cluster }).Labels['com.amazonaws.ecs.cluster']
  expect(label('FARGATE')).toBe(cluster)
  expect(label('EC2')).toBe('proof')
})
