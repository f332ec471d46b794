import { describe, expect, test } from 'vitest'
import { cpuUnitsOf, demandOf, memoryMiBOf } from './task-definition.ts'

describe('what a task takes from its instance', () => {
  const containerDefinitions = [
    { cpu: 100, memory: 300, memoryReservation: 200, portMappings: [{ containerPort: 80, hostPort: 8080 }] },
    {
      memory: 50,
      portMappings: [{ containerPort: 53, hostPort: 53, protocol: 'udp' as const }, { containerPort: 81 }],
    },
  ]

  test('is the sum of its containers: of memory the reservation, of ports the static ones', () => {
    expect(demandOf({ containerDefinitions })).toEqual({
      cpu: 100,
      memoryMiB: 250,
      ports: [
        { protocol: 'tcp', port: 8080 },
        { protocol: 'udp', port: 53 },
      ],
      gpu: 0,
    })
  })

  test('is the size of the task where it has one, and no ports with awsvpc', () => {
    expect(demandOf({ containerDefinitions, cpu: '256', memory: '512', networkMode: 'awsvpc' })).toEqual({
      cpu: 256,
      memoryMiB: 512,
      ports: [],
      gpu: 0,
      eni: 1,
    })
  })

  test('follows the overrides', () => {
    const containers = [
      { name: 'a', cpu: 10, memory: 20, memoryReservation: 15 },
      { name: 'b', memory: 5 },
    ]
    const containerOverrides = [
      { name: 'a', memoryReservation: 30, resourceRequirements: [{ type: 'GPU' as const, value: '2' }] },
      { name: 'b', cpu: 7 },
    ]
    expect(demandOf({ containerDefinitions: containers }, { containerOverrides })).toMatchObject({
      cpu: 17,
      memoryMiB: 35,
      gpu: 2,
    })
    expect(demandOf({ containerDefinitions: containers }, { cpu: '1 vCPU', memory: '1 GB' })).toMatchObject({
      cpu: 1024,
      memoryMiB: 1024,
    })
  })
})

test.each([
  ['512', 512, 512],
  ['.25 vCPU', 256, undefined],
  ['1vcpu', 1024, undefined],
  ['0.5 GB', undefined, 512],
  ['2gb', undefined, 2048],
  ['-1', undefined, undefined],
  ['1.5', undefined, undefined],
  ['', undefined, undefined],
])('the text %j says %s CPU units and %s MiB', (text, units, mebibytes) => {
  expect(cpuUnitsOf(text)).toBe(units)
  expect(memoryMiBOf(text)).toBe(mebibytes)
})
