import { expect, test } from 'vitest'
import { InstanceLoad, remainingResources } from './instance-load.ts'
import { instanceRow, taskRow } from './testing.ts'

test('shows what tasks leave of CPU and memory, and resources of any other name as they were registered', () => {
  const load = new InstanceLoad('a', 0)
  const registeredResources = [
    { name: 'CPU', type: 'INTEGER', integerValue: 1024 },
    ...['constructor', '__proto__', 'FPGA'].map((name) => ({ name, type: 'INTEGER', integerValue: 1 })),
  ]
  load.setInstance(instanceRow({ name: 'a', registeredResources }))
  load.count(taskRow({ demand: { cpu: 1000 } }), 1)
  expect(remainingResources(load).map(({ name, integerValue }) => [name, integerValue])).toEqual([
    ['CPU', 24],
    ['constructor', 1],
    ['__proto__', 1],
    ['FPGA', 1],
  ])
})
