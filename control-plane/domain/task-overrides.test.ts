import type { TaskOverride } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import type { TaskDefinition } from './task-definition.ts'
import { applyOverrides, completeOverrides, overridesFault } from './task-overrides.ts'

const taskDefinition: TaskDefinition = {
  accountId: '000000000000',
  region: 'us-east-1',
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
  family: 'web',
  revision: 1,
  status: 'ACTIVE',
  containerDefinitions: [
    {
      name: 'app',
      image: 'nginx',
      command: ['serve'],
      memory: 100,
      environment: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    { name: 'side', image: 'busybox' },
  ],
  volumes: [],
  placementConstraints: [],
  requiresAttributes: [],
  compatibilities: ['EC2'],
  enableFaultInjection: false,
  registeredAt: 0,
  registeredBy: 'root',
}

test('what is overridden takes the place of what stood there, environments are merged by name', () => {
  const overrides: TaskOverride = {
    taskRoleArn: 'role',
    memory: '1 GB',
    containerOverrides: [
      {
        name: 'app',
        command: ['migrate'],
        environment: [
          { name: 'B', value: 'two' },
          { name: 'C', value: 'three' },
        ],
      },
    ],
  }
  expect(applyOverrides(taskDefinition, overrides)).toEqual({
    ...taskDefinition,
    taskRoleArn: 'role',
    memory: '1024',
    containerDefinitions: [
      {
        name: 'app',
        image: 'nginx',
        command: ['migrate'],
        memory: 100,
        environment: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'two' },
          { name: 'C', value: 'three' },
        ],
      },
      { name: 'side', image: 'busybox' },
    ],
  })
  expect(applyOverrides(taskDefinition)).toEqual(taskDefinition)
})

test('overrides that are complete stay as they are', () => {
  const complete = completeOverrides(taskDefinition, {
    cpu: '1 vCPU',
    containerOverrides: [{ name: 'side' }],
  })
  expect(complete).toEqual({
    cpu: '1024',
    containerOverrides: [{ name: 'app' }, { name: 'side' }],
    inferenceAcceleratorOverrides: [],
  })
  expect(completeOverrides(taskDefinition, complete)).toEqual(complete)
})

const lengthOf = (command: string): number =>
  JSON.stringify({ containerOverrides: [{ name: 'app', command: [command] }] }).length
test.each<[TaskOverride, RegExp]>([
  [{}, /^nothing$/],
  [{ containerOverrides: [{}] }, /^nothing$/],
  [{ containerOverrides: [{ name: 'app', command: ['x'.repeat(8192 - lengthOf(''))] }] }, /^nothing$/],
  [{ containerOverrides: [{ name: 'app', command: ['x'.repeat(8193 - lengthOf(''))] }] }, /at most 8192$/],
  [{ containerOverrides: [{ command: ['x'] }] }, /name must be specified/],
  [
    { containerOverrides: [{ name: 'x' }] },
    /^Override for container named x is not a container in the TaskDefinition\.$/,
  ],
  [{ containerOverrides: [{ name: 'app', memory: 5 }] }, /memory/],
  [{ containerOverrides: [{ name: 'app', memory: 10, memoryReservation: 11 }] }, /memoryReservation/],
  [
    { containerOverrides: [{ name: 'app', resourceRequirements: [{ type: 'NeuronDevice', value: '1' }] }] },
    /^Resource requirements of type NeuronDevice are not supported\.$/,
  ],
  [{ containerOverrides: [{ name: 'app', resourceRequirements: [{ type: 'GPU', value: '0' }] }] }, /setting/],
  [{ memory: '1 TB' }, /^Invalid 'memory' setting for task\.$/],
  [{ ephemeralStorage: { sizeInGiB: 30 } }, /FARGATE/],
])('finds the fault of %j', (overrides, fault) => {
  expect(overridesFault(taskDefinition, overrides, 'EC2') ?? 'nothing').toMatch(fault)
})

test.each<[TaskOverride, RegExp]>([
  [{ cpu: '512', memory: '2048' }, /^nothing$/],
  [{ memory: '2 GB' }, /^nothing$/],
  [{ cpu: '512', memory: '512' }, /^No Fargate configuration exists for given values: 512 CPU, 512 memory\./],
  [{ cpu: '1 vCPU' }, /^No Fargate configuration exists for given values: 1024 CPU, 512 memory\./],
  [{ ephemeralStorage: { sizeInGiB: 20 } }, /^EphemeralStorage size should be at least 21$/],
  [{ ephemeralStorage: { sizeInGiB: 201 } }, /^EphemeralStorage size should be at most 200$/],
  [{ ephemeralStorage: { sizeInGiB: 200 } }, /^nothing$/],
])('on Fargate finds the fault of %j', (overrides, fault) => {
  const sized = { ...taskDefinition, cpu: '256', memory: '512' }
  expect(overridesFault(sized, overrides, 'FARGATE') ?? 'nothing').toMatch(fault)
})
