import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { expect, test } from 'vitest'
import type { TaskDefinition } from './task-definition.ts'
import {
  loseTask,
  newTask,
  observeTask,
  requestStop,
  type Task,
  type TaskReport,
  type TaskRequest,
} from './task.ts'
import { observeHealth } from './task-health.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const taskDefinition: TaskDefinition = {
  ...scope,
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
  family: 'web',
  revision: 1,
  status: 'ACTIVE',
  containerDefinitions: [
    {
      name: 'app',
      image: 'nginx',
      essential: true,
      cpu: 100,
      memory: 200,
      portMappings: [{ containerPort: 80 }],
    },
    { name: 'side', image: 'busybox', essential: false, memoryReservation: 50 },
  ],
  volumes: [],
  placementConstraints: [],
  requiresAttributes: [],
  compatibilities: ['EC2'],
  enableFaultInjection: false,
  registeredAt: 0,
  registeredBy: 'root',
}
const waiting: TaskRequest = {
  scope,
  cluster: { clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c', clusterName: 'c' },
  taskDefinition,
  ids: idsFrom(prng(7)),
  now: 1000,
  group: 'family:web',
  launchType: 'EC2',
  enableExecuteCommand: false,
}

function taskOf(request: Partial<TaskRequest> = {}): Task {
  return newTask({ ...waiting, placement: { containerInstanceArn: 'instance' }, ...request })
}
const observe = (task: Task, ...reports: Partial<TaskReport>[]): Task =>
  reports.reduce<Task>(
    (current, report) => observeTask(current, { now: 2000, containers: [], ...report }),
    task,
  )
const stop = { stopCode: 'UserInitiated', stoppedReason: 'because', now: 3000 } as const

test('a new task is PENDING where it was placed, with an ARN for itself and each container', () => {
  const task = taskOf()
  expect(task).toMatchObject({
    lastStatus: 'PENDING',
    desiredStatus: 'RUNNING',
    cpu: '100',
    memory: '250',
    demand: { cpu: 100, memoryMiB: 250, ports: [], gpu: 0 },
    version: 1,
    createdAt: 1000,
    overrides: { containerOverrides: [{ name: 'app' }, { name: 'side' }], inferenceAcceleratorOverrides: [] },
  })
  expect(task.taskArn).toMatch(/^arn:aws:ecs:us-east-1:000000000000:task\/c\/[0-9a-f]{32}$/)
  expect(task.containers[0]?.containerArn).toMatch(/:container\/c\/[0-9a-f]{32}\/[0-9a-f-]{36}$/)
  expect(task.containers).toMatchObject([
    { name: 'app', lastStatus: 'PENDING', cpu: '100', memory: '200' },
    { name: 'side', lastStatus: 'PENDING', cpu: '0', memoryReservation: '50' },
  ])
  expect(task.containers[1]).not.toHaveProperty('memory')
  expect(JSON.parse(JSON.stringify(task))).toEqual(task)
})

test('a task of a service belongs to its deployment and says who started it', () => {
  const service = { serviceArn: 'service', deploymentId: 'ecs-svc/1' }
  expect(taskOf({ service, group: 'service:web' })).toMatchObject({ ...service, startedBy: 'ecs-svc/1' })
})

test('overrides change what a task takes and shows', () => {
  const task = taskOf({
    overrides: { cpu: '1 vCPU', containerOverrides: [{ name: 'app', memory: 300, cpu: 64 }] },
  })
  expect(task).toMatchObject({ cpu: '1024', memory: '350', demand: { cpu: 1024, memoryMiB: 350 } })
  expect(task.containers[0]).toMatchObject({ cpu: '64', memory: '300' })
  expect(task.overrides.containerOverrides).toEqual([{ name: 'app', memory: 300, cpu: 64 }, { name: 'side' }])
})

test('the first cause to stop a task stays, and only its agent makes it STOPPED', () => {
  const stopping = requestStop(taskOf(), stop)
  expect(stopping).toMatchObject({
    desiredStatus: 'STOPPED',
    lastStatus: 'PENDING',
    stopCode: 'UserInitiated',
    stoppedReason: 'because',
    stoppingAt: 3000,
    version: 2,
  })
  expect(requestStop(stopping, { ...stop, stopCode: 'ServiceSchedulerInitiated' })).toBe(stopping)
  expect(observe(stopping, { status: 'STOPPED' })).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'UserInitiated',
    stoppedReason: 'because',
    stoppingAt: 3000,
    stoppedAt: 2000,
  })
})

test('a task without an instance is PROVISIONING, and STOPPED as soon as it is asked', () => {
  const task = newTask(waiting)
  expect(task.lastStatus).toBe('PROVISIONING')
  expect(requestStop(task, stop)).toMatchObject({ lastStatus: 'STOPPED', stoppedAt: 3000, version: 2 })
})

test('a task runs, and a container of it that need not run may end', () => {
  const task = observe(
    taskOf(),
    {
      status: 'RUNNING',
      pullStartedAt: 1100,
      pullStoppedAt: 1200,
      containers: [
        {
          name: 'app',
          status: 'RUNNING',
          runtimeId: 'a',
          networkBindings: [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32768, protocol: 'tcp' }],
        },
        { name: 'side', status: 'RUNNING', runtimeId: 's' },
      ],
    },
    { status: 'RUNNING', containers: [{ name: 'side', status: 'STOPPED', exitCode: 1 }] },
  )
  expect(task).toMatchObject({
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    startedAt: 2000,
    pullStartedAt: 1100,
    pullStoppedAt: 1200,
    version: 3,
    containers: [
      { lastStatus: 'RUNNING', runtimeId: 'a', networkBindings: [{ hostPort: 32768 }] },
      { lastStatus: 'STOPPED', runtimeId: 's', exitCode: 1 },
    ],
  })
})

test('a container that is in a report twice goes through both states in order', () => {
  const task = observe(taskOf(), {
    status: 'RUNNING',
    containers: [
      { name: 'side', status: 'RUNNING', runtimeId: 's' },
      { name: 'side', status: 'STOPPED', exitCode: 0 },
    ],
  })
  expect(task.containers[1]).toMatchObject({ lastStatus: 'STOPPED', runtimeId: 's', exitCode: 0 })
  expect(task.version).toBe(2)
})

test.each<[string, Partial<TaskReport>[], string, string]>([
  [
    'an essential container that exits, be it with 0',
    [
      { status: 'RUNNING' },
      { status: 'STOPPED', containers: [{ name: 'app', status: 'STOPPED', exitCode: 0 }] },
    ],
    'EssentialContainerExited',
    'Essential container in task exited',
  ],
  [
    'a task so quick that it was never seen RUNNING',
    [{ status: 'STOPPED', containers: [{ name: 'app', status: 'STOPPED', exitCode: 1 }] }],
    'EssentialContainerExited',
    'Essential container in task exited',
  ],
  [
    'an image that cannot be pulled, though a sibling had started',
    [
      {
        status: 'STOPPED',
        containers: [
          { name: 'app', status: 'STOPPED', exitCode: 137 },
          { name: 'side', status: 'STOPPED', reason: 'CannotPullContainerError: no such image' },
        ],
      },
    ],
    'TaskFailedToStart',
    'CannotPullContainerError: no such image',
  ],
  [
    'a container that could be created but not started',
    [
      {
        status: 'STOPPED',
        containers: [
          { name: 'app', status: 'STOPPED', exitCode: 127, reason: 'CannotStartContainerError: exec' },
        ],
      },
    ],
    'TaskFailedToStart',
    'CannotStartContainerError: exec',
  ],
  [
    'a container out of memory',
    [
      { status: 'RUNNING' },
      {
        status: 'STOPPED',
        containers: [
          { name: 'app', status: 'STOPPED', exitCode: 137, reason: 'OutOfMemoryError: Container killed' },
        ],
      },
    ],
    'EssentialContainerExited',
    'Essential container in task exited',
  ],
  ['nothing known', [{ status: 'STOPPED' }], 'TaskFailedToStart', 'Task failed to start'],
  [
    'a payload that was refused',
    [{ status: 'STOPPED', reason: 'HostConfigError: x' }],
    'TaskFailedToStart',
    'HostConfigError: x',
  ],
])('says why a task stopped by itself: %s', (_, reports, stopCode, stoppedReason) => {
  const task = observe(taskOf(), ...reports)
  expect(task).toMatchObject({
    desiredStatus: 'STOPPED',
    lastStatus: 'STOPPED',
    stopCode,
    stoppedReason,
    stoppingAt: 2000,
    stoppedAt: 2000,
  })
  expect(task.containers.map(({ lastStatus }) => lastStatus)).toEqual(['STOPPED', 'STOPPED'])
})

test('an exit code counts only once the container is STOPPED', () => {
  const containers = [{ name: 'app', status: 'RUNNING', exitCode: 1 }] as const
  expect(observe(taskOf(), { status: 'RUNNING', containers }).containers[0]).not.toHaveProperty('exitCode')
})

test('in host mode the ports of the definition are those of the container', () => {
  const host = { ...taskDefinition, networkMode: 'host' } as const
  const report = { now: 2000, status: 'RUNNING', containers: [{ name: 'app', status: 'RUNNING' }] } as const
  expect(observeTask(taskOf(), report, host).containers[0]?.networkBindings).toEqual([
    { bindIP: '0.0.0.0', containerPort: 80, hostPort: 80, protocol: 'tcp' },
  ])
  expect(observeTask(taskOf(), report, taskDefinition).containers[0]?.networkBindings).toEqual([])
})

test('a lost task is STOPPED for the reason given, or for the one that was first', () => {
  expect(loseTask(taskOf(), stop)).toMatchObject({
    lastStatus: 'STOPPED',
    stoppedReason: 'because',
    stoppedAt: 3000,
    containers: [{ lastStatus: 'STOPPED' }, { lastStatus: 'STOPPED' }],
  })
  const asked = requestStop(taskOf(), { ...stop, stoppedReason: 'first' })
  const lost = loseTask(asked, stop)
  expect(lost.stoppedReason).toBe('first')
  expect(loseTask(lost, stop)).toBe(lost)
  expect(observe(lost, { status: 'RUNNING' })).toBe(lost)
})

test.each([
  ['HEALTHY', 'UNKNOWN', ['app'], 'HEALTHY'],
  ['HEALTHY', 'UNHEALTHY', ['app'], 'HEALTHY'],
  ['HEALTHY', 'UNKNOWN', ['app', 'side'], 'UNKNOWN'],
  ['UNHEALTHY', 'UNKNOWN', ['app', 'side'], 'UNHEALTHY'],
] as const)('health %s and %s with essentials %s is %s', (app, side, essentials, health) => {
  const healths = [
    { containerName: 'app', status: app },
    { containerName: 'side', status: side },
  ] as const
  const task = observeHealth(taskOf(), healths, essentials)
  expect(task.healthStatus).toBe(health)
  expect(task.version).toBe(1)
  expect(observeHealth(task, healths, essentials)).toBe(task)
})
