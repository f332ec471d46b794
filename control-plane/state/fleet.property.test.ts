import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PlacementRequest, placeTask } from '#domain/placement/place.ts'
import { clusterArn, demandOf, instanceRow, taskRow } from '#domain/placement/testing.ts'
import { taskStatuses } from '#domain/task.ts'
import { Fleet } from './fleet.ts'
import { memoryJournal } from './journal.ts'
import { Store } from './store.ts'

const names = ['i1', 'i2', 'i3'] as const
const change = fc.oneof(
  fc.record({ instance: fc.constantFrom(...names), cpu: fc.constantFrom(256, 1024), gone: fc.boolean() }),
  fc.record({
    task: fc.constantFrom('t1', 't2', 't3', 't4', 't5'),
    on: fc.constantFrom(...names),
    lastStatus: fc.constantFrom(...taskStatuses),
    desiredStatus: fc.constantFrom('RUNNING' as const, 'STOPPED' as const),
    demand: fc
      .record({
        cpu: fc.constantFrom(0, 128),
        ports: fc.constantFrom([], [{ protocol: 'tcp' as const, port: 80 }]),
      })
      .map(demandOf),
    launchType: fc.constantFrom('EC2' as const, 'EC2' as const, 'FARGATE' as const),
    capacityProviderName: fc.constantFrom(undefined, 'FARGATE_SPOT'),
    gone: fc.constantFrom(false, false, true),
  }),
)
const transaction = fc.record({ changes: fc.array(change, { maxLength: 5 }), throws: fc.boolean() })

const fargateHost = 'arn:aws:ecs:us-east-1:009999999900:container-instance/fargate/f1'
const limits = { cpu: 1024, memoryMiB: 1024, cpuArchitecture: 'x86_64' } as const

/** All that can be asked of a fleet. */
const picture = (fleet: Fleet): unknown => [
  fleet.fargateLeft(limits),
  [true, false].map((spot) => fleet.admitsFargate(demandOf({ cpu: 900 }), spot, limits)),
  ...names.map((name) => {
    const load = fleet.instance(name)
    return [
      fleet.remainingResources(name),
      fleet.counts(name),
      load && [load.free, load.tasksCount, Object.fromEntries(load.groups)],
      fleet.cluster(clusterArn).instancesOfGroup('family:web').size,
    ]
  }),
]

const request: PlacementRequest = {
  demand: demandOf({ cpu: 128 }),
  group: 'family:web',
  launchType: 'EC2',
  requiresAttributes: [],
  constraints: [],
  strategies: [{ type: 'spread', field: 'instanceId' }],
  fraction: () => 0,
}

test('a fleet is what it would be made anew, after commits and rollbacks, and places the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { maxLength: 15 }), async (transactions) => {
      const store = await Store.open(memoryJournal)
      const fleet = Fleet.of(store)
      for (const { changes, throws } of transactions) {
        try {
          store.update((tx) => {
            for (const one of changes) {
              if ('task' in one) {
                const { task: taskArn, on, gone, capacityProviderName, ...row } = one
                // The first of the instances stands for a host that a Fargate task still waits for.
                const place = row.launchType === 'FARGATE' ? fargateHost : on
                const containerInstanceArn = row.launchType === 'FARGATE' && on === 'i1' ? undefined : place
                if (gone) tx.delete('task', taskArn)
                else
                  tx.put(
                    'task',
                    taskRow({
                      taskArn,
                      ...row,
                      ...(containerInstanceArn !== undefined && { containerInstanceArn }),
                      ...(capacityProviderName !== undefined && { capacityProviderName }),
                    }),
                  )
              } else if (one.gone) tx.delete('containerInstance', one.instance)
              else tx.put('containerInstance', instanceRow({ name: one.instance, cpu: one.cpu }))
              placeTask(fleet.cluster(clusterArn), request)
            }
            if (throws) throw new Error('rolled back')
          })
        } catch (error) {
          if (!String(error).includes('rolled back')) throw error
        }
        const anew = Fleet.of(store)
        expect(picture(fleet)).toEqual(picture(anew))
        const places = [fleet, anew].map((one) => 'failures' in placeTask(one.cluster(clusterArn), request))
        expect(places[0]).toBe(places[1])
      }
    }),
  )
})

test('a placement sees the tasks put before it in the same transaction', async () => {
  const store = await Store.open(memoryJournal)
  const fleet = Fleet.of(store)
  const placed = store.update((tx) => {
    for (const name of ['a', 'b']) tx.put('containerInstance', instanceRow({ name, cpu: 128 }))
    return [1, 2, 3].map(() => {
      const placement = placeTask(fleet.cluster(clusterArn), request)
      if ('failures' in placement) return placement.failures.map(({ reason }) => reason)
      tx.put('task', taskRow({ ...placement, demand: request.demand, lastStatus: 'PENDING' }))
      return placement.containerInstanceArn
    })
  })
  expect(placed).toEqual(['a', 'b', ['RESOURCE:CPU', 'RESOURCE:CPU']])
  expect(fleet.counts('a')).toEqual({ runningTasksCount: 0, pendingTasksCount: 1 })
})
