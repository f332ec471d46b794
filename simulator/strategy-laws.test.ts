import type { Lifecycle } from '@berth/control-plane/domain/rollout-lifecycle.ts'
import type { Traffic } from '@berth/control-plane/engines/deployment-actions.ts'
import { requestStop } from '@berth/control-plane/domain/task.ts'
import type { Change, Transaction } from '@berth/control-plane/state/store.ts'
import { beforeEach, expect, test } from 'vitest'
import { scheduledBench } from './bench-client.ts'
import { Chance } from './chance.ts'
import type { EngineBench } from './engine-bench.ts'
import { brokenTrafficLaw, Outside } from './outside.ts'
import { brokenBounds } from './rollout-bounds.ts'
import { brokenRolloutLaw } from './rollout-laws.ts'

const minute = 60_000
let bench: EngineBench
let outside: Outside
let broken: Array<string | undefined>

/** A canary of two tasks that has a tenth of the traffic. */
beforeEach(async () => {
  const traffic: Traffic = { shift: (wanted) => outside.traffic.shift(wanted) }
  ;({ bench } = await scheduledBench(() => true, { traffic }))
  outside = new Outside(bench.clock, new Chance(1), () => undefined)
  broken = []
  bench.store.watch((changes: readonly Change[]) => {
    const tasks = changes.filter((change): change is Change<'task'> => change.table === 'task')
    broken.push(
      brokenRolloutLaw(bench.store, changes) ??
        brokenTrafficLaw(bench.store, tasks, outside) ??
        (tasks.length > 0
          ? brokenBounds(bench.store, bench.service, { changes: tasks, now: bench.clock.now() })
          : undefined),
    )
  })
  const deploymentConfiguration = {
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    strategy: 'CANARY' as const,
    canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 5 },
  }
  bench.putService(bench.putTaskDefinition(1), { deploymentConfiguration })
  await bench.run(3 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2 * minute)
})

const laws = (): string[] => broken.filter((law) => law !== undefined)

test('a canary breaks no law', async () => {
  await bench.run(10 * minute)
  expect(bench.serviceDeployments.map(({ status }) => status)).toEqual(['SUCCESSFUL', 'SUCCESSFUL'])
  expect(laws()).toEqual([])
})

test.each<[string, RegExp, Partial<Lifecycle>]>([
  ['goes back to a stage', /went from PRODUCTION_TRAFFIC_SHIFT back to SCALE_UP/, { stage: 'SCALE_UP' }],
  ['takes traffic back', /takes traffic back/, { production: 5 }],
  ['cleans up too early', /cleans up before all traffic/, { stage: 'CLEAN_UP', step: 1 }],
  ['forgets third revisions', /third revisions/, { stage: 'CLEAN_UP', production: 100, scattered: true }],
  ['shifts traffic while it is rolled back', /that is given up/, { rollingBack: true, production: 20 }],
])('a lifecycle that %s breaks a law', (_, law, change) => {
  expect(laws()).toEqual([])
  const row = bench.serviceDeployments.at(-1)
  if (!row?.lifecycle) throw new Error('there is no lifecycle')
  const lifecycle = { ...row.lifecycle, ...change }
  bench.store.update((tx) => tx.put('serviceDeployment', { ...row, lifecycle }))
  expect(broken.at(-1)).toMatch(law)
})

test('a revision that is not whole is given no more traffic', () => {
  const row = bench.serviceDeployments.at(-1)
  const [task] = bench.wanted(2)
  if (!row?.lifecycle || !task) throw new Error('there is no lifecycle')
  bench.report(task, 'STOPPED', { exitCode: 1 })
  const lifecycle = { ...row.lifecycle, production: 100 }
  bench.store.update((tx) => tx.put('serviceDeployment', { ...row, lifecycle, updatedAt: bench.clock.now() }))
  expect(broken.at(-1)).toMatch(/gives traffic to a revision with 1 healthy tasks of 2/)
})

/** As the scheduler would, if it were wrong. */
function stop(tx: Transaction, revision: number): void {
  const [task] = bench.wanted(revision)
  const stoppedReason = 'Scaling activity initiated by (deployment x)'
  const cause = { stopCode: 'ServiceSchedulerInitiated', stoppedReason, now: bench.clock.now() } as const
  if (task) tx.put('task', { ...requestStop(task, cause), accounted: true })
}

test.each([
  [1, /has 90 % of the traffic and was left with 1 tasks/],
  [2, /has 10 % of the traffic and was left with 1 tasks/],
])('a task of revision %i that is stopped while traffic is shared breaks a law', (revision, law) => {
  bench.store.update((tx) => stop(tx, revision))
  expect(broken.at(-1)).toMatch(law)
})

test('either revision has its own healthy minimum', () => {
  const [task] = bench.wanted(1)
  if (!task) throw new Error('there is no task')
  const change = {
    table: 'task' as const,
    before: task,
    after: requestStop(task, {
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: '',
      now: bench.clock.now(),
    }),
  }
  bench.store.update((tx) => tx.put('task', change.after))
  expect(brokenBounds(bench.store, bench.service, { changes: [change], now: bench.clock.now() })).toMatch(
    'was left with 1 healthy tasks where 2 must be',
  )
})
