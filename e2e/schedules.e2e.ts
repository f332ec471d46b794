/** Scheduled tasks as a user of the AWS CLI makes them, with an agent that only reports. */
import { setTimeout as wait } from 'node:timers/promises'
import { DescribeTasksCommand, ListTasksCommand, type Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Account } from './account.ts'
import { ScriptedAgent } from './scripted-agent.ts'
import { eventually, World } from './world.ts'

const cluster = 'nightly'
const clusterArn = `arn:aws:ecs:us-east-1:000000000000:cluster/${cluster}`
const RoleArn = 'arn:aws:iam::000000000000:role/runs-tasks'
const EcsParameters = { TaskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/job' }
const Input = JSON.stringify({ containerOverrides: [{ name: 'main', command: ['echo', 'hi'] }] })
const target = { Arn: clusterArn, RoleArn, EcsParameters, Input }

let world: World
let account: Account
let agent: ScriptedAgent
beforeAll(async () => {
  world = await World.start()
  account = new Account(world, { id: '000000000000' })
  await world.cluster(cluster, 0)
  await world.register('job', { image: 'exits-0' })
  agent = await ScriptedAgent.join(account, cluster)
})
afterAll(async () => {
  await agent.leave()
  account.end()
  await world.end()
})

async function startedBy(name: string): Promise<Task[]> {
  const arns: string[] = []
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
    const { taskArns = [] } = await world.ecs.send(
      new ListTasksCommand({ cluster, startedBy: name, desiredStatus }),
    )
    arns.push(...taskArns)
  }
  if (arns.length === 0) return []
  const { tasks = [] } = await world.ecs.send(new DescribeTasksCommand({ cluster, tasks: arns }))
  return tasks
}
const first = (name: string): Promise<Task> =>
  eventually(`a task of ${name}`, async () => (await startedBy(name))[0], 90)
const inSeconds = (seconds: number): string =>
  `at(${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)})`

/** Runs the CLI with the words of a text and further ones. */
const aws = (text: string, ...more: readonly string[]): Promise<string> =>
  world.aws(...text.split(' '), ...more)

const createSchedule = (name: string, expression: string): Promise<string> =>
  aws(
    `scheduler create-schedule --name ${name} --flexible-time-window Mode=OFF --schedule-expression`,
    expression,
    '--target',
    JSON.stringify(target),
  )

test('a rule and a schedule start tasks, with the command that the target says', async () => {
  const rule = await aws('events put-rule --name each-minute --schedule-expression', 'cron(* * * * ? *)')
  expect(JSON.parse(rule)).toEqual({
    RuleArn: 'arn:aws:events:us-east-1:000000000000:rule/each-minute',
  })
  const targets = JSON.stringify([{ Id: 't1', ...target }])
  const put = await aws('events put-targets --rule each-minute --targets', targets)
  expect(JSON.parse(put)).toEqual({ FailedEntryCount: 0, FailedEntries: [] })
  const created = await createSchedule('now', 'rate(1 hour)')
  expect(JSON.parse(created)).toEqual({
    ScheduleArn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/now',
  })
  const tasks = [await first('chronos-schedule/now'), await first('events-rule/each-minute')]
  for (const { overrides, group } of tasks) {
    expect(overrides?.containerOverrides?.[0]?.command).toEqual(['echo', 'hi'])
    expect(group).toBe('family:job')
  }
  await world.aws('events', 'disable-rule', '--name', 'each-minute')
  const shown = JSON.parse(await world.aws('scheduler', 'get-schedule', '--name', 'now')) as object
  expect(shown).toMatchObject({ Name: 'now', Target: target, State: 'ENABLED' })
  const listed = JSON.parse(
    await world.aws('scheduler', 'list-schedules', '--name-prefix', 'no', '--state', 'ENABLED'),
  ) as { readonly Schedules: object[] }
  expect(listed.Schedules).toMatchObject([{ Name: 'now', Target: { Arn: clusterArn } }])
})

test('what is wrong is told as the services tell it', async () => {
  const targets = [{ Id: 't9', ...target, EcsParameters: { ...EcsParameters, TaskCount: 11 } }]
  await expect(
    world.aws('events', 'put-targets', '--rule', 'each-minute', '--targets', JSON.stringify(targets)),
  ).rejects.toThrow(
    'An error occurred (ValidationException) when calling the PutTargets operation: Parameter(s) TaskCount not valid for target: t9.',
  )
  await expect(world.aws('scheduler', 'get-schedule', '--name', 'none')).rejects.toThrow(
    'An error occurred (ResourceNotFoundException) when calling the GetSchedule operation: Schedule none does not exist.',
  )
  await expect(world.aws('scheduler', 'delete-schedule-group', '--name', 'none')).rejects.toThrow(
    'An error occurred (ResourceNotFoundException) when calling the DeleteScheduleGroup operation: Schedule group none does not exist.',
  )
})

test('groups and their tags, whose ARN stands in the path', async () => {
  const { ScheduleGroupArn: arn } = JSON.parse(
    await world.aws('scheduler', 'create-schedule-group', '--name', 'g', '--tags', 'Key=a,Value=1'),
  ) as { readonly ScheduleGroupArn: string }
  await world.aws('scheduler', 'tag-resource', '--resource-arn', arn, '--tags', 'Key=b,Value=2')
  await world.aws('scheduler', 'untag-resource', '--resource-arn', arn, '--tag-keys', 'a', 'c')
  expect(JSON.parse(await world.aws('scheduler', 'list-tags-for-resource', '--resource-arn', arn))).toEqual({
    Tags: [{ Key: 'b', Value: '2' }],
  })
  await world.aws('scheduler', 'delete-schedule-group', '--name', 'g')
})

test('a control plane that is killed before the time of a schedule runs it once when it is back', async () => {
  await createSchedule('missed', inSeconds(6))
  await world.crash()
  await wait(7_000)
  await world.restart()
  await first('chronos-schedule/missed')
  await world.crash()
  await world.restart()
  await wait(2_000)
  expect(await startedBy('chronos-schedule/missed')).toHaveLength(1)
  expect(JSON.parse(await world.aws('scheduler', 'get-schedule', '--name', 'missed'))).toMatchObject({
    Name: 'missed',
  })
})
