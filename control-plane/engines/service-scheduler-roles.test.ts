import { EngineBench } from '@berth/simulator/engine-bench.ts'
import type { IamRole } from '#domain/iam/entities.ts'
import type { Service } from '#domain/service.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000
const roleArn = 'arn:aws:iam::000000000000:role/app'
const said = `(service web) failed to launch a task with (error ECS was unable to assume the role '${roleArn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.).`

/** A service whose task definition names a role that is not there. */
async function schedule(given: Partial<Service>, enforcesIam: boolean): Promise<EngineBench> {
  const bench = await EngineBench.open()
  bench.putInstance('host1')
  bench.putInstance('host2')
  const { store: view, ids, fleet } = bench
  bench.drive(serviceScheduler({ view, ids, fleet, ...(enforcesIam && { enforcesIam }) }))
  bench.obey()
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  const taskDefinitionArn = bench.putTaskDefinition(1)
  bench.store.update((tx) => {
    const taskDefinition = tx.find('taskDefinition', taskDefinitionArn)
    if (taskDefinition) tx.put('taskDefinition', { ...taskDefinition, executionRoleArn: roleArn })
  })
  bench.putService(taskDefinitionArn, given)
  return bench
}

function putRole(bench: EngineBench, trusted: string): void {
  const row: IamRole = {
    accountId: '000000000000',
    roleName: 'app',
    roleId: 'AROAAPP',
    path: '/',
    arn: roleArn,
    createdAt: 0,
    trustPolicy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: trusted },
          Action: 'sts:AssumeRole',
          Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:ecs:us-east-1:000000000000:*' } },
        },
      ],
    }),
    maxSessionSeconds: 3600,
    inlinePolicies: [],
    attachedPolicyArns: [],
    tags: [],
  }
  bench.store.update((tx) => tx.put('iamRole', row))
}

test.each<[string, Partial<Service>]>([
  ['REPLICA', { desiredCount: 2 }],
  ['DAEMON', { schedulingStrategy: 'DAEMON' }],
])('a %s service whose role cannot be assumed says so once, and tries again', async (_, given) => {
  const bench = await schedule(given, true)
  await bench.run(3 * minute)
  expect(bench.wanted()).toEqual([])
  expect(bench.messages).toEqual([said])
  expect(bench.primary?.failedTasks).toBeGreaterThan(1)
  putRole(bench, 'ec2.amazonaws.com')
  await bench.run(5 * minute)
  expect(bench.wanted()).toEqual([])
  putRole(bench, 'ecs-tasks.amazonaws.com')
  await bench.run(6 * minute)
  expect(bench.wanted()).toHaveLength(2)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test('the circuit breaker counts the tasks that cannot have their role', async () => {
  const deploymentConfiguration = { deploymentCircuitBreaker: { enable: true, rollback: false } }
  const bench = await schedule({ desiredCount: 1, deploymentConfiguration }, true)
  await bench.run(10 * minute)
  expect(bench.primary?.rolloutState).toBe('FAILED')
})

test('without enforcement a role need not exist', async () => {
  const bench = await schedule({ desiredCount: 2 }, false)
  await bench.run(2 * minute)
  expect(bench.wanted()).toHaveLength(2)
})
