import { EngineBench } from '@berth/simulator/engine-bench.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { Reconciler } from './reconciler.ts'

async function bench(): Promise<EngineBench> {
  const opened = await EngineBench.open()
  onTestFinished(() => opened.close())
  return opened
}

test('a place that throws does not keep the engine from the others', async () => {
  const it = await bench()
  const seen: string[] = []
  it.drive({
    name: 'test',
    watches: {},
    periodMs: 60_000,
    everywhere: () => ['one', 'bad', 'two'],
    reconcile(_, __, places = new Set()) {
      if (places.has('bad')) throw new Error('bad')
      seen.push(...places)
      return {}
    },
  })
  await it.run(1_000)
  expect(seen).toEqual(['one', 'two'])
  expect(it.errors).toEqual([new Error('bad')])
})

test('a full look at many places is made a part at a time', async () => {
  const it = await bench()
  const sizes: number[] = []
  it.drive({
    name: 'test',
    watches: {},
    periodMs: 60_000,
    everywhere: () => Array.from({ length: 600 }, (_, index) => String(index)),
    reconcile(_, __, places = new Set()) {
      sizes.push(places.size)
      return {}
    },
  })
  await it.run(1_000)
  expect(sizes).toEqual([250, 250, 100])
})

test('a place is looked at again at the earliest time that was asked for', async () => {
  const it = await bench()
  const start = it.clock.now()
  const times: number[] = []
  const engine: Reconciler = {
    name: 'test',
    watches: {},
    periodMs: 60_000,
    everywhere: () => ['one'],
    reconcile(_, now) {
      times.push(now - start)
      return {
        again: [
          { place: 'one', at: start + 5_000 },
          { place: 'one', at: start + 2_000 },
        ].filter(({ at }) => at > now),
      }
    },
  }
  it.drive(engine)
  await it.run(10_000)
  expect(times).toEqual([0, 2_000, 5_000])
})

test('what changes while looks are kept apart is seen in one look', async () => {
  const it = await bench()
  const looks: number[] = []
  it.drive({
    name: 'test',
    watches: { containerInstance: (row) => row.containerInstanceArn },
    periodMs: 60_000,
    paceMs: 20,
    everywhere: () => [],
    reconcile(_, __, places = new Set()) {
      looks.push(places.size)
      return {}
    },
  })
  await it.run(100)
  it.putInstance('one')
  await it.run(1)
  it.putInstance('two')
  it.putInstance('three')
  await it.run(100)
  expect(looks).toEqual([1, 2])
})
