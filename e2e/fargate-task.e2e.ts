/** What a Fargate task has around it, with policies enforced: roles, logs, ECS Exec, metadata, and another OCI runtime. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2'
import { RunTaskCommand, type Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { polite } from './one-instance.ts'
import { eventually, World } from './world.ts'

const execute = promisify(execFile)
const cluster = 'default'
const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`
/** A directory for PATH with an OCI runtime that is runc and notes what it is called for. */
const programs = mkdtempSync(join(tmpdir(), 'berth-oci-'))
const calls = join(programs, 'calls')
let world: World
let task: Task

beforeAll(async () => {
  const runtime = join(programs, 'noted-runc')
  writeFileSync(runtime, `#!/bin/sh\necho "$@" >> ${calls}\nexec runc "$@"\n`)
  chmodSync(runtime, 0o755)
  world = await World.start(['--iam', 'enforce', '--fargate-runtime', 'noted-runc', '--fargate-cpu', '1'], {
    environment: { ...process.env, PATH: `${programs}:${process.env['PATH']}` },
  })
  await world.cluster(cluster, 0)
  const policyArn = 'arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'
  await makeRole('execution', 'attach-role-policy', '--policy-arn', policyArn)
  const Action = ['ssmmessages:*', 'logs:*', 'ecs:GetTaskProtection']
  const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }
  const inline = ['--policy-name', 'app', '--policy-document', JSON.stringify(document)]
  await makeRole('app', 'put-role-policy', ...inline)
  await world.aws('logs', 'create-log-group', '--log-group-name', '/ecs/fargate')
  const image = await world.push('tool')
  const options = {
    'awslogs-group': '/ecs/fargate',
    'awslogs-region': 'us-east-1',
    'awslogs-stream-prefix': 'ecs',
  }
  await world.register(
    'app',
    {
      image,
      command: ['sh', '-c', `echo it begins; ${polite[2]}`],
      logConfiguration: { logDriver: 'awslogs', options },
    },
    {
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      executionRoleArn: role('execution'),
      taskRoleArn: role('app'),
    },
  )
  task = await world.taskAt(cluster, await launch(), 'RUNNING')
})
afterAll(async () => {
  await world.end()
  rmSync(programs, { recursive: true })
})

/** Runs a task of the definition on Fargate; returns its ARN. */
async function launch(): Promise<string> {
  const { Subnets = [] } = await world.ec2.send(new DescribeSubnetsCommand({}))
  const subnets = Subnets.map(({ SubnetId = '' }) => SubnetId)
  const { tasks } = await world.ecs.send(
    new RunTaskCommand({
      cluster,
      taskDefinition: 'app',
      launchType: 'FARGATE',
      enableExecuteCommand: true,
      tags: [{ key: 'team', value: 'blue' }],
      networkConfiguration: { awsvpcConfiguration: { subnets } },
    }),
  )
  return tasks?.[0]?.taskArn ?? ''
}

async function makeRole(name: string, ...policy: readonly [string, ...string[]]): Promise<void> {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ],
  }
  const named = ['--role-name', name]
  await world.aws('iam', 'create-role', ...named, '--assume-role-policy-document', JSON.stringify(trust))
  const [operation, ...words] = policy
  await world.aws('iam', operation, ...named, ...words)
}

/** What a command prints that ECS Exec runs in the task. */
async function inside(script: string): Promise<string> {
  const words = ['exec', '--cluster', cluster, task.taskArn ?? '', '--', 'sh', '-c', script]
  const { stdout } = await execute('./berth', words, {
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: world.key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: world.key.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: world.berth.url,
    },
  })
  return stdout.replaceAll('\r', '').trim()
}

test('what it prints is in its own account’s log group', async () => {
  const stream = `ecs/main/${task.taskArn?.split('/').at(-1)}`
  const words = [
    '--log-group-name',
    '/ecs/fargate',
    '--log-stream-name',
    stream,
    '--query',
    'events[].message',
  ]
  const printed = await eventually('its first line is there', async () => {
    const text = await world.aws('logs', 'get-log-events', ...words, '--output', 'text')
    return text.includes('it begins') && text
  })
  expect(printed).toBe('it begins')
})

test('ECS Exec runs in it, with Fargate’s few capabilities and its role', async () => {
  await eventually('its exec agent runs', async () => {
    const { containers } = await world.task(cluster, task.taskArn ?? '')
    return containers?.[0]?.managedAgents?.[0]?.lastStatus === 'RUNNING'
  })
  const bounding = await inside('grep CapBnd /proc/self/status')
  // What Docker gives every container, CAP_SYS_ADMIN (bit 21) and CAP_NET_ADMIN (bit 12) not among it.
  expect(Number.parseInt(bounding.split('\t')[1] ?? '', 16) & ((1 << 21) | (1 << 12))).toBe(0)
  const credentials = await inside('wget -qO- http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')
  expect(JSON.parse(credentials)).toMatchObject({ RoleArn: role('app') })
})

test('it finds its tags, and its cluster finds it', async () => {
  expect(JSON.parse(await inside('wget -qO- $ECS_CONTAINER_METADATA_URI_V4/taskWithTags'))).toMatchObject({
    TaskARN: task.taskArn,
    TaskTags: { team: 'blue' },
  })
  expect(JSON.parse(await inside('wget -qO- $ECS_AGENT_URI/task-protection/v1/state'))).toMatchObject({
    failure: { Arn: task.taskArn, Reason: 'TASK_NOT_VALID' },
  })
})

test('its container is started by the OCI runtime that was named', async () => {
  const [host = ''] = readdirSync(join(world.berth.directory, 'instances')).filter((name) =>
    name.startsWith('i-'),
  )
  const runtime = await world.docker(
    host,
    'inspect',
    '--format',
    '{{.HostConfig.Runtime}}',
    task.containers?.[0]?.runtimeId ?? '',
  )
  expect(runtime).toBe('noted-runc')
  expect(readFileSync(calls, 'utf8')).toContain(task.containers?.[0]?.runtimeId)
})

test('without its log group another one stops before its containers are made', async () => {
  await world.aws('logs', 'delete-log-group', '--log-group-name', '/ecs/fargate')
  const stopped = await world.taskAt(cluster, await launch(), 'STOPPED')
  expect(stopped).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: expect.stringMatching(
      /^ResourceInitializationError: failed to validate logger args: .* ResourceNotFoundException: The specified log group does not exist\./,
    ),
  })
  expect(stopped.containers?.[0]?.runtimeId).toBeUndefined()
})

test('an OCI runtime that is not there is refused at once', async () => {
  const refusal = await execute('./berth', ['up', '--fargate-runtime', 'no-such-runtime']).then(
    () => 'it started',
    ({ stderr }: { readonly stderr: string }) => stderr,
  )
  expect(refusal).toContain('--fargate-runtime no-such-runtime: no program no-such-runtime is in PATH')
})
