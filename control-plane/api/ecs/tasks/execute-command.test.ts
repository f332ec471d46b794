import type { ClusterConfiguration, ExecuteCommandRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import type { SessionCommand } from '#api/data-planes.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Task } from '#domain/task.ts'
import { executeCommand } from './execute-command.ts'
import { runTask } from './run-task.ts'
import { submitTaskStateChange } from '#api/ecs/instances/submit.ts'
import {
  executesCommands,
  putCluster,
  putContainerInstance,
  putTaskDefinition,
  refusalOf,
} from '#api/ecs/testing-rows.ts'

let context: TestContext
/** What sessions were opened for; undefined while the agent is away. */
let opened: SessionCommand[] | undefined
const nobody = 'f'.repeat(32)
const session = { sessionId: 'id', streamUrl: 'ws://url', tokenValue: 'token' }
const request = (task: string, more: Partial<ExecuteCommandRequest> = {}): ExecuteCommandRequest => ({
  cluster: 'c',
  command: 'sh',
  interactive: true,
  ...more,
  task,
})
const refused = (task: string, more: Partial<ExecuteCommandRequest> = {}): string =>
  refusalOf(() => executeCommand.run(context, request(task, more)))

beforeEach(async () => {
  context = await testContext()
  opened = []
  const commands = {
    openSession: (command: SessionCommand) => (opened ? (opened.push(command), session) : undefined),
    resumeSession: () => undefined,
    terminateSession: () => undefined,
  }
  context = { ...context, dataPlanes: { ...context.dataPlanes, commands } }
  putContainerInstance(context, putCluster(context, 'c'), 'one', executesCommands)
  putTaskDefinition(context, 'web:1', {}, { taskRoleArn: 'role' })
  const logConfiguration = {
    logDriver: 'awslogs' as const,
    options: { 'awslogs-group': 'group', 'awslogs-region': 'eu-west-1' },
  }
  const containerDefinitions = [
    { name: 'app', image: 'nginx', memory: 10 },
    { name: 'side', image: 'busybox', memory: 10, logConfiguration },
  ]
  putTaskDefinition(context, 'two:1', {}, { taskRoleArn: 'role', containerDefinitions })
})

function run(taskDefinition: string, enableExecuteCommand = true): string {
  const { tasks: [task] = [] } = runTask.run(context, { cluster: 'c', taskDefinition, enableExecuteCommand })
  return task?.taskArn ?? ''
}

/** Its agent reports the task running, and the execute command agent of each container in that state. */
function running(task: string, status: 'RUNNING' | 'STOPPED' = 'RUNNING'): string {
  const names = context.store.find('task', task)?.containers.map(({ name }) => name) ?? []
  submitTaskStateChange.run(context, {
    cluster: 'c',
    task,
    status: 'RUNNING',
    containers: names.map((containerName) => ({ containerName, status: 'RUNNING', runtimeId: 'docker' })),
    managedAgents: names.map((containerName) => ({
      containerName,
      managedAgentName: 'ExecuteCommandAgent' as const,
      status,
    })),
  })
  return task
}

function configure(executeCommandConfiguration: ClusterConfiguration['executeCommandConfiguration']): void {
  context.store.update((tx) => {
    const [cluster] = tx.list('cluster')
    if (cluster) tx.put('cluster', { ...cluster, configuration: { executeCommandConfiguration } })
  })
}

const invalid = 'InvalidParameterException: '
const notRunning = `${invalid}The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.`
const notConnected =
  'TargetNotConnectedException: The execute command failed due to an internal error. Try again later.'

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
  expect(refused(task ?? running(run('two')), input)).toBe(message)
  expect(opened).toEqual([])
})

test('opens a session in the only container, or in the one that is named', () => {
  const [web, two] = [running(run('web')), running(run('two'))]
  expect(executeCommand.run(context, request(web.slice(-32)))).toEqual({
    clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c',
    containerArn: context.store.find('task', web)?.containers[0]?.containerArn,
    containerName: 'app',
    interactive: true,
    session,
    taskArn: web,
  })
  executeCommand.run(context, request(two, { container: 'app', command: 'ls -l' }))
  expect(opened).toEqual([
    expect.objectContaining({ taskArn: web, containerName: 'app', command: 'sh' }),
    {
      taskArn: two,
      containerName: 'app',
      command: 'ls -l',
      containerInstanceArn: expect.stringMatching(/one$/),
    },
  ])
})

test('an instance whose agent cannot run commands takes no task that wants to', () => {
  const cluster = putCluster(context, 'old')
  putContainerInstance(context, cluster, 'two')
  const ask = (enableExecuteCommand: boolean) =>
    runTask.run(context, { cluster: 'old', taskDefinition: 'web', enableExecuteCommand })
  expect(ask(false).tasks).toHaveLength(1)
  expect(ask(true)).toMatchObject({ tasks: [], failures: [{ reason: 'ATTRIBUTE' }] })
})

test('a task without execute command, not yet running, or whose agent has stopped, says so', () => {
  expect(refused(running(run('web', false)))).toBe(notRunning)
  expect(refused(run('web'))).toBe(notRunning)
  expect(refused(running(run('web'), 'STOPPED'))).toBe(notRunning)
  const over = running(run('web'))
  submitTaskStateChange.run(context, { cluster: 'c', task: over, status: 'STOPPED' })
  expect(refused(over)).toBe(notRunning)
})

test('a task whose instance is out of reach, or whose agent is away, is not connected', () => {
  const task = running(run('web'))
  opened = undefined
  expect(refused(task)).toBe(notConnected)
  opened = []
  const change = (row: Task | undefined): Task | undefined => row && { ...row, connectivity: 'DISCONNECTED' }
  context.store.update((tx) => {
    const changed = change(tx.find('task', task))
    if (changed) tx.put('task', changed)
  })
  expect(refused(task)).toBe(notConnected)
  expect(opened).toEqual([])
})

test.each<[string, ClusterConfiguration['executeCommandConfiguration'], string, object | undefined]>([
  ['by default where its container is', undefined, 'side', { logGroupName: 'group', region: 'eu-west-1' }],
  ['by default nowhere without awslogs', { logging: 'DEFAULT' }, 'app', undefined],
  ['nowhere', { logging: 'NONE' }, 'side', undefined],
  [
    'in a group of its own',
    { logging: 'OVERRIDE', logConfiguration: { cloudWatchLogGroupName: 'exec' } },
    'side',
    { logGroupName: 'exec', region: 'us-east-1' },
  ],
])('a session is logged %s', (_, configuration, container, log) => {
  configure(configuration)
  executeCommand.run(context, request(running(run('two')), { container }))
  expect(opened?.[0]?.log).toEqual(log && { ...log, endpoint: 'http://127.0.0.1:4566' })
})

test.each<[string, ClusterConfiguration['executeCommandConfiguration'], RegExp]>([
  ['encryption', { kmsKeyId: 'key' }, /cannot encrypt the session with the KMS key/],
  [
    'a bucket',
    { logging: 'OVERRIDE', logConfiguration: { s3BucketName: 'bucket' } },
    /unencrypted CloudWatch log groups only/,
  ],
  [
    'encrypted logs',
    {
      logging: 'OVERRIDE',
      logConfiguration: { cloudWatchLogGroupName: 'exec', cloudWatchEncryptionEnabled: true },
    },
    /unencrypted CloudWatch log groups only/,
  ],
])('a cluster that asks for %s gets no session that only seems to have it', (_, configuration, message) => {
  configure(configuration)
  expect(refused(running(run('web')))).toMatch(message)
  expect(opened).toEqual([])
})

test.each<[string, string, unknown]>([
  ['with the four actions on a channel', 'ssmmessages:*', session],
  ['with three of the four', 'ssmmessages:Create*", "ssmmessages:OpenDataChannel', notConnected],
  ['with none of them', 's3:*', notConnected],
])('where IAM is enforced a task role %s is answered so', (_, actions, expected) => {
  const document = (statement: string): string => `{"Version": "2012-10-17", "Statement": [${statement}]}`
  const trusted = '"Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"'
  context.store.update((tx) =>
    tx.put('iamRole', {
      accountId: '000000000000',
      roleName: 'role',
      roleId: 'AROAROLE',
      path: '/',
      arn: 'arn:aws:iam::000000000000:role/role',
      createdAt: 0,
      trustPolicy: document(`{"Effect": "Allow", ${trusted}}`),
      maxSessionSeconds: 3600,
      inlinePolicies: [
        {
          policyName: 'exec',
          document: document(`{"Effect": "Allow", "Action": ["${actions}"], "Resource": "*"}`),
        },
      ],
      attachedPolicyArns: [],
      tags: [],
    }),
  )
  context = { ...context, installation: { ...context.installation, enforcesIam: true } }
  const task = running(run('web:1'))
  const answer = expected === session ? executeCommand.run(context, request(task)).session : refused(task)
  expect(answer).toEqual(expected)
})
