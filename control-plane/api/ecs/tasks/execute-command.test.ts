import type { ExecuteCommandRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import { executeCommand } from './execute-command.ts'
import { runTask } from './run-task.ts'
import { putCluster, putContainerInstance, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
const nobody = 'f'.repeat(32)
const execute = (task: string, more: Partial<ExecuteCommandRequest> = {}): string =>
  refusalOf(() =>
    executeCommand.run(context, { cluster: 'c', command: 'sh', interactive: true, ...more, task }),
  )

beforeEach(async () => {
  context = await testContext()
  putContainerInstance(context, putCluster(context, 'c'), 'one')
  putTaskDefinition(context, 'web:1', {}, { taskRoleArn: 'role' })
  putTaskDefinition(
    context,
    'two:1',
    {},
    {
      taskRoleArn: 'role',
      containerDefinitions: [
        { name: 'app', image: 'nginx', memory: 10 },
        { name: 'side', image: 'busybox', memory: 10 },
      ],
    },
  )
})

function run(taskDefinition: string, enableExecuteCommand = true): string {
  const { tasks: [task] = [] } = runTask.run(context, { cluster: 'c', taskDefinition, enableExecuteCommand })
  return task?.taskArn ?? ''
}

const invalid = 'InvalidParameterException: '
const notRunning = `${invalid}The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.`

test.each<[string, Partial<ExecuteCommandRequest>, string]>([
  ['in an unknown cluster', { cluster: 'x' }, 'ClusterNotFoundException: Cluster not found.'],
  [
    'without a terminal',
    { interactive: false },
    `${invalid}Interactive is the only mode supported currently.`,
  ],
  ['nothing', { command: '' }, `${invalid}command should not be null or empty.`],
  ['in an unknown task', { task: nobody }, `${invalid}The referenced task was not found.`],
  ['in what is no task', { task: 'x' }, `${invalid}task length should be one of [32,36]`],
  [
    'in a task of another cluster',
    { task: `arn:aws:ecs:us-east-1:000000000000:task/other/${nobody}` },
    `${invalid}Identifier is for other. Your cluster is c`,
  ],
  [
    'in one of two containers',
    {},
    `${invalid}Container name must be specified for a task with more than one container.`,
  ],
  ['in an unknown container', { container: 'x' }, `${invalid}The container x does not exist in the task.`],
])('refuses to execute %s', (_, { task, ...input }, message) => {
  expect(execute(task ?? run('two'), input)).toBe(message)
})

test('a task that was run without execute command, or whose agent is not running, says so', () => {
  expect(execute(run('web', false))).toBe(notRunning)
  expect(execute(run('web').slice(-32))).toBe(notRunning)
  expect(execute(run('two'), { container: 'side' })).toBe(notRunning)
})

test('a task whose instance is out of reach is not connected', () => {
  const arn = run('web')
  context.store.update((tx) => {
    const task = tx.find('task', arn)
    if (task) tx.put('task', { ...task, connectivity: 'DISCONNECTED' })
  })
  expect(execute(arn)).toBe(
    'TargetNotConnectedException: The execute command failed due to an internal error. Try again later.',
  )
})
