import type { Deployment } from '@berth/control-plane/domain/service.ts'
import type { ServiceDeployment } from '@berth/control-plane/domain/service-deployment.ts'
import { serviceScheduler } from '@berth/control-plane/engines/service-scheduler.ts'
import type { Change, Transaction } from '@berth/control-plane/state/store.ts'
import { beforeEach, expect, test } from 'vitest'
import { EngineBench } from './engine-bench.ts'
import { brokenRolloutLaw } from './rollout-laws.ts'

let bench: EngineBench
let broken: Array<string | undefined>

beforeEach(async () => {
  bench = await EngineBench.open()
  bench.putInstance('host1')
  bench.obey()
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  broken = []
  bench.store.watch((changes: readonly Change[]) => broken.push(brokenRolloutLaw(bench.store, changes)))
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(100_000)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(1_000)
})

test('two rollouts one after the other break no law', async () => {
  await bench.run(100_000)
  expect(bench.serviceDeployments.map(({ status }) => status)).toEqual(['SUCCESSFUL', 'SUCCESSFUL'])
  expect(broken.filter((law) => law !== undefined)).toEqual([])
})

interface Rows {
  readonly old: Deployment
  readonly primary: Deployment
  readonly done: ServiceDeployment
  readonly going: ServiceDeployment
}

test.each<[string, RegExp, (tx: Transaction, rows: Rows) => void]>([
  [
    'two PRIMARY deployments',
    /has 2 PRIMARY/,
    (tx, { old }) => tx.put('deployment', { ...old, status: 'PRIMARY' }),
  ],
  [
    'no PRIMARY deployment',
    /has 0 PRIMARY/,
    (tx, { primary }) => tx.delete('deployment', primary.deploymentId),
  ],
  [
    'a finished service deployment that changes',
    /had finished and changed/,
    (tx, { done }) => tx.put('serviceDeployment', { ...done, statusReason: 'other' }),
  ],
  [
    'success before completion',
    /is SUCCESSFUL while its deployment is IN_PROGRESS/,
    (tx, { going }) => tx.put('serviceDeployment', { ...going, status: 'SUCCESSFUL' }),
  ],
  [
    'an end without an outcome',
    /without an outcome/,
    (tx, { going }) => tx.put('serviceDeployment', { ...going, status: 'STOPPED' }),
  ],
  [
    'two service deployments under way',
    /has 2 service deployments under way/,
    (tx, { going }) => tx.put('serviceDeployment', { ...going, serviceDeploymentArn: 'other' }),
  ],
  [
    'a rollout that nothing drives',
    /is IN_PROGRESS in a service deployment that is ROLLBACK_FAILED/,
    (tx, { going, done }) => {
      if (done.outcome)
        tx.put('serviceDeployment', { ...going, status: 'ROLLBACK_FAILED', outcome: done.outcome })
    },
  ],
  [
    'a rollout of what is not PRIMARY',
    /deploys what is not PRIMARY/,
    (tx, { primary, done }) =>
      tx.put('deployment', {
        ...primary,
        rolloutState: 'COMPLETED',
        serviceDeploymentArn: done.serviceDeploymentArn,
      }),
  ],
])('%s breaks a law', (_, law, change) => {
  const { primary } = bench
  const old = bench.deployments.find(({ status }) => status === 'ACTIVE')
  const [done, going] = bench.serviceDeployments
  if (!primary || !old || !done || !going) throw new Error('there is no rollout')
  bench.store.update((tx) => {
    change(tx, { old, primary, done, going })
  })
  expect(broken.at(-1)).toMatch(law)
})
