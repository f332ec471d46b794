/** What becomes of tasks when hosts, revisions or the control plane fail: replaced, nothing doubled, nothing dropped. */
import { setTimeout as wait } from 'node:timers/promises'
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  DescribeServiceDeploymentsCommand,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  type ServiceDeployment,
  type Task,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cutPower, paralyse } from './host-processes.ts'
import { type Host, Hosts, tally } from './hosts.ts'
import { polite } from './one-instance.ts'
import { eventually } from './world.ts'

// The two groups stand side by side, because both wait most of the time; the tests of a group take turns.
const inTurn = { concurrent: false }
// The shortest interval that AWS allows: without a check a task counts as healthy after forty seconds.
const healthCheck = { interval: 5, retries: 1 }

const arnsOf = (tasks: readonly Task[]): Set<string | undefined> =>
  new Set(tasks.map(({ taskArn }) => taskArn))
const on =
  (...hosts: readonly Host[]) =>
  ({ containerInstanceArn }: Task): boolean =>
    hosts.some(({ arn }) => arn === containerInstanceArn)
const containerOf = (task: Task): string => task.containers?.[0]?.runtimeId ?? ''

describe.concurrent('hosts', () => {
  let fleet: Hosts
  const perZone = { 'us-east-1a': 2, 'us-east-1b': 2, 'us-east-1c': 2 }
  const zonesOf = (tasks: readonly Task[]): Record<string, number> =>
    tally(tasks.map(({ availabilityZone }) => availabilityZone))

  beforeAll(async () => {
    fleet = await Hosts.start()
    const image = await fleet.world.push('tool')
    const check = { ...healthCheck, command: ['CMD', 'true'] }
    await fleet.world.register('checked', { image, command: [...polite], healthCheck: check })
  })
  afterAll(() => fleet.end())

  /** The service's six tasks once they run, each in its container, and no other container runs on any host. */
  const six = (): Promise<Task[]> =>
    eventually('six tasks have a container each, and there are no others', async () => {
      const tasks = await fleet.running('web', 6)
      const containers = await Promise.all(fleet.hosts.map((host) => fleet.containersOn(host)))
      return (
        new Set(tasks.map(containerOf)).symmetricDifference(new Set(containers.flat())).size === 0 && tasks
      )
    })

  test(
    'one whose agent and Docker are gone: others take over when it is given up, and on its return nothing is doubled',
    inTurn,
    async () => {
      const [lost, ...others] = fleet.hosts
      if (!lost) throw new Error('no host')
      await fleet.create('web', 'checked', 6, { availabilityZoneRebalancing: 'DISABLED' })
      const before = await six()
      expect(zonesOf(before)).toEqual(perZone)
      await fleet.steady('web')

      const resume = paralyse(fleet.world.berth.directory, lost.instanceId)
      let after: Task[]
      try {
        await eventually('it is given up', async () => !(await fleet.isConnected(lost)), 30)
        const elsewhere = async (): Promise<boolean> => {
          const tasks = (await fleet.tasksOf('web')).filter(on(...others))
          return tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length === 6
        }
        await eventually('six run elsewhere', elsewhere, 10)
        after = await fleet.running('web', 6, others)
      } finally {
        resume()
      }
      for (const task of before.filter(on(...others))) expect(arnsOf(after)).toContain(task.taskArn)
      for (const { taskArn = '' } of before.filter(on(lost)))
        await fleet.world.taskAt(fleet.cluster, taskArn, 'STOPPED')
      expect(arnsOf(await six())).toEqual(arnsOf(after))
      expect(await fleet.isConnected(lost)).toBe(true)
    },
  )

  test(
    'one whose power is cut boots again, its tasks are replaced, and nothing is doubled',
    inTurn,
    async () => {
      const [, cut] = fleet.hosts
      if (!cut) throw new Error('no host')
      const before = await fleet.running('web', 6)
      const lost = before.filter(on(cut))
      expect(lost).not.toEqual([])
      cutPower(fleet.world.berth.directory, cut.instanceId)
      for (const { taskArn = '' } of lost) await fleet.world.taskAt(fleet.cluster, taskArn, 'STOPPED')
      const after = arnsOf(await six())
      expect(after).toEqual(after.union(arnsOf(before.filter((task) => !on(cut)(task)))))
      expect(await fleet.isConnected(cut)).toBe(true)
    },
  )

  test('one that came back gets its share again when the service rebalances its zones', inTurn, async () => {
    const { cluster, world } = fleet
    await world.ecs.send(
      new UpdateServiceCommand({ cluster, service: 'web', availabilityZoneRebalancing: 'ENABLED' }),
    )
    const balanced = await eventually('the zones are balanced', async () => {
      const tasks = await six()
      return Object.values(zonesOf(tasks)).join() === '2,2,2' && tasks
    })
    expect(zonesOf(balanced)).toEqual(perZone)
    await fleet.remove('web')
  })

  test('nothing is left on the machine', inTurn, async () => {
    expect(await fleet.leftAfterDown()).toEqual([])
  })
})

describe.concurrent('what is deployed and what is due', () => {
  let fleet: Hosts
  let host: Host
  let ruleMadeAt: number
  beforeAll(async () => {
    fleet = await Hosts.start(1)
    const [only] = fleet.hosts
    if (!only) throw new Error('no host')
    host = only
    const { world } = fleet
    for (const [family, files] of [
      ['healthy', { 'www/index.html': 'hello', 'www/health': 'ok' }],
      ['never-healthy', { 'www/index.html': 'hello' }],
    ] as const)
      await world.register(family, {
        image: await world.push(family, files, ['httpd', '-f', '-h', '/www']),
        portMappings: [{ containerPort: 80 }],
        healthCheck: { ...healthCheck, command: ['CMD', 'wget', '-qO-', 'http://127.0.0.1/health'] },
        stopTimeout: 2,
      })
    const image = await world.push('tool')
    await world.register('job', { image, command: ['sh', '-c', 'echo done'] })
    await eachMinute(fleet, 'job')
    ruleMadeAt = Date.now()
  })
  afterAll(() => fleet.end())

  test(
    'a revision that is never healthy is rolled back, and clients of the service notice nothing',
    inTurn,
    async () => {
      const { cluster, world } = fleet
      await fleet.create('web', 'healthy', 2, {
        deploymentConfiguration: {
          minimumHealthyPercent: 100,
          maximumPercent: 200,
          deploymentCircuitBreaker: { enable: true, rollback: true },
        },
      })
      const served = await fleet.running('web', 2)
      await fleet.steady('web')
      const [before] = (await fleet.service('web')).deployments ?? []
      const visits = visit(fleet, host, 'web')
      await world.ecs.send(
        new UpdateServiceCommand({ cluster, service: 'web', taskDefinition: 'never-healthy' }),
      )
      const rolledBack = await eventually('it is rolled back', async () => {
        const newest = await newestDeployment(fleet, 'web')
        return newest?.status === 'ROLLBACK_SUCCESSFUL' && newest
      })
      await fleet.steady('web')
      const { answers, failures } = await visits.stop()
      expect(failures).toEqual([])
      expect(answers).toBeGreaterThan(100)
      expect(rolledBack.deploymentCircuitBreaker).toMatchObject({ status: 'TRIGGERED' })
      const { id, taskDefinition } = before ?? {}
      expect((await fleet.service('web')).deployments).toMatchObject([
        { id, taskDefinition, status: 'PRIMARY', rolloutState: 'COMPLETED', runningCount: 2 },
      ])
      expect(arnsOf(await fleet.running('web', 2))).toEqual(arnsOf(served))
      await fleet.remove('web')
    },
  )

  test(
    'a control plane that is killed across the time of a rule runs its container once',
    inTurn,
    async () => {
      const { cluster, world } = fleet
      await wait(ruleMadeAt + 57_000 - Date.now())
      expect(await containersOf(fleet, host, 'job')).toEqual([])
      await world.crash()
      await wait(ruleMadeAt + 61_000 - Date.now())
      await world.restart()
      await eventually(
        'its container is there',
        async () => (await containersOf(fleet, host, 'job')).length > 0,
      )
      await world.crash()
      await world.restart()
      const stopped = { cluster, startedBy: 'events-rule/each-minute', desiredStatus: 'STOPPED' as const }
      const [task = ''] = await eventually('its end is known', async () => {
        const { taskArns = [] } = await world.ecs.send(new ListTasksCommand(stopped))
        return taskArns.length > 0 && taskArns
      })
      const ended = await world.taskAt(cluster, task, 'STOPPED')
      expect(ended.containers).toMatchObject([{ exitCode: 0 }])
      expect(await containersOf(fleet, host, 'job')).toEqual([containerOf(ended)])
    },
  )

  test('nothing of it is left on the machine', inTurn, async () => {
    expect(await fleet.leftAfterDown()).toEqual([])
  })
})

/** A rule that runs a task of that definition each minute, from a minute after it was made. */
async function eachMinute({ world, cluster }: Hosts, taskDefinition: string): Promise<void> {
  const events = new EventBridgeClient({
    region: 'us-east-1',
    endpoint: world.berth.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const Rule = 'each-minute'
  const owner = 'arn:aws:ecs:us-east-1:000000000000'
  const target = {
    Id: taskDefinition,
    Arn: `${owner}:cluster/${cluster}`,
    RoleArn: 'arn:aws:iam::000000000000:role/runs-tasks',
    EcsParameters: { TaskDefinitionArn: `${owner}:task-definition/${taskDefinition}` },
  }
  await events.send(new PutRuleCommand({ Name: Rule, ScheduleExpression: 'rate(1 minute)' }))
  await events.send(new PutTargetsCommand({ Rule, Targets: [target] }))
  events.destroy()
}

/** The containers of a task definition that run on the host or did. */
async function containersOf(
  { world }: Hosts,
  { instanceId }: Host,
  taskDefinition: string,
): Promise<string[]> {
  const label = `label=com.amazonaws.ecs.task-definition-family=${taskDefinition}`
  const words = ['ps', '--all', '--no-trunc', '--quiet', '--filter', label]
  return (await world.docker(instanceId, ...words)).split('\n').filter(Boolean)
}

async function newestDeployment(
  { world, cluster }: Hosts,
  service: string,
): Promise<ServiceDeployment | undefined> {
  const list = await world.ecs.send(new ListServiceDeploymentsCommand({ cluster, service }))
  const { serviceDeploymentArn = '' } = list.serviceDeployments?.[0] ?? {}
  const found = await world.ecs.send(
    new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [serviceDeploymentArn] }),
  )
  return found.serviceDeployments?.[0]
}

/** Asks all tasks of a service that run and are healthy, by the API, over and over at the ports that it shows. */
function visit(
  fleet: Hosts,
  { address }: Host,
  service: string,
): { stop(): Promise<{ readonly answers: number; readonly failures: readonly unknown[] }> } {
  let ended = false
  let answers = 0
  const failures: unknown[] = []
  const ask = async (task: Task): Promise<void> => {
    const port = task.containers?.[0]?.networkBindings?.[0]?.hostPort
    try {
      const response = await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(2_000) })
      if ((await response.text()) !== 'hello') throw new Error(`status ${response.status}`)
      answers++
    } catch (error) {
      failures.push(error)
    }
  }
  const asking = (async () => {
    while (!ended) {
      const tasks = (await fleet.tasksOf(service)).filter(
        ({ lastStatus, healthStatus }) => lastStatus === 'RUNNING' && healthStatus === 'HEALTHY',
      )
      if (tasks.length < 2) failures.push(`only ${tasks.length} are healthy`)
      await Promise.all(tasks.map(ask))
    }
  })()
  return {
    async stop() {
      ended = true
      await asking
      return { answers, failures }
    },
  }
}
