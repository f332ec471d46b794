/** Rules and schedules that start tasks while the control plane dies and is away for minutes, and their law. */
import type { CreateScheduleInput } from '@aws-sdk/client-scheduler'
import { formatArn } from '@berth/control-plane/domain/arn.ts'
import type { Rule } from '@berth/control-plane/domain/schedule/rule.ts'
import type { Schedule } from '@berth/control-plane/domain/schedule/schedule.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import type { Change } from '@berth/control-plane/state/store.ts'
import { scope } from './control-plane.ts'
import { batchImage } from './host.ts'
import type { World } from './world.ts'

const minute = 60_000

/**
 * Tasks of a schedule appear only in a transaction that moves it on to a later time, as many as one of its runs has: so
 * whatever becomes of the process, no time is run twice, and none is lost.
 */
export function brokenScheduleLaw(changes: readonly Change[]): string | undefined {
  const moved = new Map<string, number>()
  for (const { table, before, after } of changes) {
    if (!before || (table !== 'schedule' && table !== 'rule')) continue
    const [was, is] = [before as Rule | Schedule, after as Rule | Schedule | undefined]
    const prefix = table === 'rule' ? 'events-rule' : 'chronos-schedule'
    if (was.next && (is?.next?.time ?? Infinity) > was.next.time) moved.set(`${prefix}/${was.name}`, 1)
  }
  for (const { table, before, after } of changes) {
    if (table !== 'task' || before || !after) continue
    const { startedBy = '', taskArn } = after as Task
    if (!/^(?:events-rule|chronos-schedule)\//.test(startedBy)) continue
    const left = moved.get(startedBy) ?? 0
    if (left === 0) return `${taskArn} was started by ${startedBy}, which did not move on to its next time`
    moved.set(startedBy, left - 1)
  }
  return undefined
}

/** What a client asks for, and how often: the times of a schedule are whole multiples of its period since its first. */
interface Asked {
  readonly name: string
  readonly periodMs: number
  readonly more: Partial<CreateScheduleInput>
}

const asked: readonly Asked[] = [
  { name: 'rate', periodMs: minute, more: { ScheduleExpression: 'rate(1 minute)' } },
  { name: 'cron', periodMs: 2 * minute, more: { ScheduleExpression: 'cron(0/2 * * * ? *)' } },
  {
    name: 'flexible',
    periodMs: 4 * minute,
    more: {
      ScheduleExpression: 'cron(0/4 * * * ? *)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 2 },
    },
  },
]

interface Outage {
  readonly from: number
  readonly until: number
}

async function play(world: World): Promise<void> {
  const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
    'RegisterTaskDefinition',
    {
      family: 'batch',
      containerDefinitions: [{ name: 'app', image: batchImage, essential: true, cpu: 8, memory: 16 }],
    },
  )
  const value = '<aws.scheduler.scheduled-time>'
  const target = {
    Arn: formatArn(scope, 'ecs', 'cluster/default'),
    RoleArn: `arn:aws:iam::${scope.accountId}:role/runs-tasks`,
    Input: JSON.stringify({ containerOverrides: [{ name: 'app', environment: [{ name: 'AT', value }] }] }),
    EcsParameters: { TaskDefinitionArn: taskDefinition.taskDefinitionArn },
  }
  for (const { name, more } of asked)
    await world.request('CreateSchedule', {
      Name: name,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: target,
      ClientToken: world.chance.ids.hex(32),
      ...more,
    })
  await world.request('PutRule', { Name: 'rule', ScheduleExpression: 'rate(1 minute)' })
  await world.request('PutTargets', { Rule: 'rule', Targets: [{ Id: 't', ...target, Input: undefined }] })
  const once = new Date(world.clock.now() + world.chance.between(minute, 10 * minute))
  await world.request('CreateSchedule', {
    Name: 'once',
    ScheduleExpression: `at(${once.toISOString().slice(0, 19)})`,
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: target,
    ClientToken: world.chance.ids.hex(32),
  })

  const from = world.clock.now()
  const outages: Outage[] = []
  for (let round = 0; round < 3; round++) {
    await world.sleep(world.chance.between(2, 6) * minute)
    const downMs = world.chance.between(0.5, 5) * minute
    // It may be down already, and then is up again after seconds.
    if (!world.controlPlane) continue
    world.crashControlPlane(`for ${Math.round(downMs / 1000)} s`, downMs)
    outages.push({ from: world.clock.now(), until: world.clock.now() + downMs })
  }
  await world.sleep(8 * minute)
  const until = world.clock.now() - 4 * minute
  world.expectations.push(() => wrongRuns(world, { from, until, outages }))
}

/** The times that a schedule's tasks say they are for. */
function timesOf(world: World, name: string): number[] {
  const tasks = world.controlPlane?.store.list('task') ?? []
  return tasks
    .filter(({ startedBy }) => startedBy === `chronos-schedule/${name}`)
    .map(({ overrides }) => Date.parse(overrides?.containerOverrides?.[0]?.environment?.[0]?.value ?? ''))
}

/**
 * Every time was run exactly once, except that of those of a long outage only the last must have been. Seconds around an
 * outage are left out: the control plane may die again in them.
 */
function wrongRuns(
  world: World,
  { from, until, outages }: { from: number; until: number; outages: readonly Outage[] },
): string | undefined {
  if (!world.controlPlane) return 'the control plane is down'
  for (const { name, periodMs } of asked) {
    const times = timesOf(world, name)
    const twice = times.find((time, index) => times.indexOf(time) < index)
    if (twice !== undefined) return `${name} ran twice for ${new Date(twice).toISOString()}`
    const [first = NaN] = times
    for (let time = first; time <= until; time += periodMs) {
      if (time < from || times.includes(time)) continue
      const slack = 15_000 + (name === 'flexible' ? 2 * minute : 0)
      const inOutage = outages.some((outage) => time > outage.from - slack && time < outage.until + slack)
      const troubled = world.scheduleTroubles.some(({ arn, at }) => arn.endsWith(`/${name}`) && at >= time)
      if (!inOutage && !troubled) return `${name} did not run for ${new Date(time).toISOString()}`
    }
    for (const outage of outages) {
      const last = first + Math.floor((outage.until - first) / periodMs) * periodMs
      const older = times.find((time) => time > outage.from && time < last)
      if (name !== 'flexible' && older !== undefined)
        return `${name} made up for ${new Date(older).toISOString()} too`
      if (name === 'flexible' || last < outage.from || last > until) continue
      // When the next time comes right after the outage, it may be the last missed.
      if (last + periodMs - outage.until < 15_000 || times.includes(last)) continue
      if (world.scheduleTroubles.some(({ arn }) => arn.endsWith(`/${name}`))) continue
      return `${name} did not make up for ${new Date(last).toISOString()}`
    }
  }
  const once = timesOf(world, 'once').length
  const failed = world.scheduleTroubles.some(({ arn }) => arn.endsWith('/once'))
  return once === 1 || (failed && once === 0) ? undefined : `what was to run once ran ${once} times`
}

export const schedules = {
  hosts: 2,
  faults: {
    network: { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.002 },
    controlPlaneCrashMeanMs: 1.5 * minute,
    crashAtWrite: 0.02,
  },
  play,
}
