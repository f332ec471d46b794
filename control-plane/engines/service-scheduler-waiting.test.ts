import { clusterArn, EngineBench } from '@berth/simulator/engine-bench.ts'
import { expect, test } from 'vitest'
import { fargatePlace, WaitingServices } from './service-scheduler-waiting.ts'

const demand = { cpu: 1024, memoryMiB: 1024, ports: [], gpu: 0 }

async function wait(count: number) {
  const bench = await EngineBench.open()
  const { containerInstanceArn } = bench.putInstance('host1')
  const waiting = new WaitingServices(bench.fleet)
  for (let number = 0; number < count; number++)
    waiting.set(`service${number}`, { place: clusterArn, demand })
  return { waiting, containerInstanceArn }
}

test('room on an instance wakes a few of a thousand, and others the next time', async () => {
  const { waiting, containerInstanceArn } = await wait(1_000)
  expect(waiting.wokenBy(containerInstanceArn)).toEqual(['service0', 'service1', 'service2', 'service3'])
  expect(waiting.wokenBy(containerInstanceArn)).toEqual(['service4', 'service5', 'service6', 'service7'])
})

test('a service that got its place wakes the next; one that waits on does not', async () => {
  const { waiting, containerInstanceArn } = await wait(10)
  waiting.wokenBy(containerInstanceArn)
  expect(waiting.set('service0', { place: clusterArn, demand })).toEqual([])
  expect(waiting.set('service1', undefined)).toEqual(['service4'])
  expect(waiting.set('service9', undefined)).toEqual([])
})

test('nobody is woken who could not fit, nor by an instance that is unknown', async () => {
  const { waiting, containerInstanceArn } = await wait(1)
  waiting.set('large', { place: clusterArn, demand: { ...demand, memoryMiB: 4097 } })
  expect(waiting.wokenBy(containerInstanceArn)).toEqual(['service0'])
  expect(waiting.wokenBy('elsewhere')).toEqual([])
  expect(waiting.wokenBy(undefined)).toEqual([])
})

test('room on Fargate wakes those that wait for it, and nobody else', async () => {
  const bench = await EngineBench.open()
  const limits = { cpu: 1024, memoryMiB: 1024, cpuArchitecture: 'x86_64' } as const
  const waiting = new WaitingServices(bench.fleet, limits)
  waiting.set('on-instances', { place: clusterArn, demand })
  waiting.set('large', { place: fargatePlace, demand: { ...demand, cpu: 2048 } })
  for (let number = 0; number < 6; number++) waiting.set(`service${number}`, { place: fargatePlace, demand })
  expect(waiting.wokenByFargate()).toEqual(['service0', 'service1', 'service2', 'service3'])
  expect(waiting.set('service0', undefined)).toContain('service4')
  expect(new WaitingServices(bench.fleet).wokenByFargate()).toEqual([])
})
