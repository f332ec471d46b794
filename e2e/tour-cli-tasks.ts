import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { refusal } from './tour-cli-clusters.ts'
import type { Stage } from './stage.ts'

const main = { name: 'main', image: 'public.ecr.aws/docker/library/busybox', memory: 64 }

interface Placed {
  readonly tasks: readonly [{ readonly taskArn: string }]
}

export async function taskDefinitionLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  const taskDefinitionArn = account.arn('task-definition/tour:1')
  const tags = [{ key: 'owner', value: 'web' }]
  const input = {
    family: 'tour',
    containerDefinitions: [{ ...main, portMappings: [{ containerPort: 80 }] }],
    cpu: '256',
    memory: '128',
    tags,
  }
  expect(await aws`register-task-definition --cli-input-json ${input}`).toMatchObject({
    taskDefinition: {
      taskDefinitionArn,
      revision: 1,
      status: 'ACTIVE',
      containerDefinitions: [
        { essential: true, portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }] },
      ],
      compatibilities: expect.arrayContaining(['EC2']) as unknown,
    },
    tags,
  })
  expect(await aws`describe-task-definition --task-definition tour --include TAGS`).toMatchObject({
    taskDefinition: { taskDefinitionArn, cpu: '256', memory: '128' },
    tags,
  })
  await account.ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  // In as many requests as there are revisions.
  expect(await aws`list-task-definitions --family-prefix tour --page-size 1`).toEqual({
    taskDefinitionArns: [taskDefinitionArn, account.arn('task-definition/tour:2')],
  })
  expect(await aws`list-task-definition-families --status ACTIVE`).toEqual({ families: ['tour'] })
  expect(await aws`deregister-task-definition --task-definition tour:1`).toMatchObject({
    taskDefinition: { taskDefinitionArn, status: 'INACTIVE' },
  })
  await expect(aws`describe-task-definition --task-definition tour:3`).rejects.toThrow(
    refusal('ClientException', 'DescribeTaskDefinition', 'Unable to describe task definition.'),
  )
}

export async function taskLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  await account.ecs.createCluster({ clusterName: 'tour' })
  const { containerInstanceArn } = await stage.join(account, 'tour')
  await account.ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  const ran = (await aws`run-task --cluster tour --task-definition tour --started-by tour`) as Placed
  expect(ran).toMatchObject({
    tasks: [{ containerInstanceArn, launchType: 'EC2', startedBy: 'tour', group: 'family:tour' }],
    failures: [],
  })
  const instances = [containerInstanceArn]
  const started =
    (await aws`start-task --cluster tour --task-definition tour --container-instances ${instances}`) as Placed
  expect(started).toMatchObject({ tasks: [{ containerInstanceArn }], failures: [] })
  const [{ taskArn }] = ran.tasks
  const tasks = [taskArn, started.tasks[0].taskArn]
  expect(await aws`wait tasks-running --cluster tour --tasks ${tasks}`).toBeUndefined()
  expect(await aws`describe-tasks --cluster tour --tasks ${tasks}`).toMatchObject({
    tasks: [
      { taskArn, lastStatus: 'RUNNING', containers: [{ name: 'main', lastStatus: 'RUNNING' }] },
      { lastStatus: 'RUNNING' },
    ],
    failures: [],
  })
  expect(await aws`list-tasks --cluster tour --started-by tour`).toEqual({ taskArns: [taskArn] })
  expect(await aws`stop-task --cluster tour --task ${taskArn} --reason ${'the tour is over'}`).toMatchObject({
    task: {
      taskArn,
      desiredStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      stoppedReason: 'the tour is over',
    },
  })
  expect(await aws`wait tasks-stopped --cluster tour --tasks ${taskArn}`).toBeUndefined()
  await expect(aws`stop-task --cluster tour --task ${'0'.repeat(32)}`).rejects.toThrow(
    refusal('InvalidParameterException', 'StopTask', 'The referenced task was not found.'),
  )
}

export async function executeCommandLane(stage: Stage): Promise<void> {
  const programs = mkdtempSync(join(tmpdir(), 'berth-tour-'))
  const plugin = `#!/bin/sh\necho "$@" >> ${programs}/started\n`
  writeFileSync(join(programs, 'session-manager-plugin'), plugin, { mode: 0o755 })
  const account = stage.newAccount({ programs })
  const aws = account.aws.bind(account)
  await account.ecs.createCluster({ clusterName: 'tour' })
  await stage.join(account, 'tour')
  await account.ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  const { tasks = [] } = await account.ecs.runTask({ cluster: 'tour', taskDefinition: 'tour' })
  await expect(
    aws`execute-command --cluster tour --task ${tasks[0]?.taskArn} --interactive --command sh`,
  ).rejects.toThrow(
    refusal(
      'InvalidParameterException',
      'ExecuteCommand',
      'The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.',
    ),
  )
  // The CLI starts its plugin without words to see that it is there, and not again when there is no session.
  expect(readFileSync(join(programs, 'started'), 'utf8')).toBe('\n')
  rmSync(programs, { recursive: true })
}

export async function serviceLane(stage: Stage): Promise<void> {
  const account = await stage.withCluster('tour')
  const aws = account.aws.bind(account)
  await account.ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  const serviceArn = account.arn('service/tour/web')
  expect(
    await aws`create-service --cluster tour --service-name web --task-definition tour --desired-count 2`,
  ).toMatchObject({
    service: {
      serviceArn,
      status: 'ACTIVE',
      desiredCount: 2,
      deployments: [{ status: 'PRIMARY', rolloutState: 'IN_PROGRESS' }],
      schedulingStrategy: 'REPLICA',
    },
  })
  expect(await aws`wait services-stable --cluster tour --services web`).toBeUndefined()
  expect(await aws`describe-services --cluster tour --services web none`).toMatchObject({
    services: [{ serviceArn, runningCount: 2, pendingCount: 0, deployments: [{ status: 'PRIMARY' }] }],
    failures: [{ arn: account.arn('service/tour/none'), reason: 'MISSING' }],
  })
  expect(await aws`list-services --cluster tour`).toEqual({ serviceArns: [serviceArn] })
  await expect(aws`list-services-by-namespace --namespace none`).rejects.toThrow(
    refusal(
      'NamespaceNotFoundException',
      'ListServicesByNamespace',
      'The specified namespace was not found.',
    ),
  )
  const { taskArns } = (await aws`list-tasks --cluster tour --service-name web`) as { taskArns: string[] }
  expect(taskArns).toHaveLength(2)
  const [taskArn] = taskArns
  expect(
    await aws`update-task-protection --cluster tour --tasks ${taskArn} --protection-enabled`,
  ).toMatchObject({ protectedTasks: [{ taskArn, protectionEnabled: true }], failures: [] })
  expect(await aws`get-task-protection --cluster tour --tasks ${taskArns}`).toMatchObject({
    protectedTasks: [{ protectionEnabled: true }, { protectionEnabled: false }],
    failures: [],
  })
  expect(await aws`update-service --cluster tour --service web --desired-count 0`).toMatchObject({
    service: { serviceArn, desiredCount: 0 },
  })
  await expect(aws`update-service --cluster tour --service none --desired-count 0`).rejects.toThrow(
    refusal('ServiceNotFoundException', 'UpdateService', 'Service not found.'),
  )
  expect(await aws`delete-service --cluster tour --service web --force`).toMatchObject({
    service: { serviceArn, status: 'DRAINING' },
  })
  expect(await aws`wait services-inactive --cluster tour --services web`).toBeUndefined()
}

export async function taskSetLane(stage: Stage): Promise<void> {
  const account = stage.newAccount()
  const aws = account.aws.bind(account)
  await account.ecs.createCluster({ clusterName: 'tour' })
  await account.ecs.registerTaskDefinition({ family: 'tour', containerDefinitions: [main] })
  expect(
    await aws`create-service --cluster tour --service-name web --desired-count 4 --deployment-controller type=EXTERNAL`,
  ).toMatchObject({
    service: { deploymentController: { type: 'EXTERNAL' }, deployments: [], taskSets: [] },
  })
  const { taskSet } =
    (await aws`create-task-set --cluster tour --service web --task-definition tour --scale value=50,unit=PERCENT`) as {
      taskSet: { id: string; taskSetArn: string }
    }
  const { id } = taskSet
  expect(taskSet).toMatchObject({
    taskSetArn: account.arn(`task-set/tour/web/${id}`),
    status: 'ACTIVE',
    scale: { value: 50, unit: 'PERCENT' },
    computedDesiredCount: 2,
  })
  expect(
    await aws`update-task-set --cluster tour --service web --task-set ${id} --scale value=100,unit=PERCENT`,
  ).toMatchObject({ taskSet: { id, scale: { value: 100 }, computedDesiredCount: 4 } })
  expect(
    await aws`update-service-primary-task-set --cluster tour --service web --primary-task-set ${id}`,
  ).toMatchObject({ taskSet: { id, status: 'PRIMARY' } })
  expect(
    await aws`describe-task-sets --cluster tour --service web --task-sets ${id} ecs-svc/0`,
  ).toMatchObject({
    taskSets: [{ id, status: 'PRIMARY', taskDefinition: account.arn('task-definition/tour:1') }],
    failures: [{ reason: 'MISSING' }],
  })
  await expect(aws`delete-task-set --cluster tour --service web --task-set ecs-svc/0`).rejects.toThrow(
    refusal('TaskSetNotFoundException', 'DeleteTaskSet', 'The specified task set does not exist.'),
  )
  // The primary one serves; another is to take its place before it goes.
  await expect(aws`delete-task-set --cluster tour --service web --task-set ${id} --force`).rejects.toThrow(
    '(InvalidParameterException) when calling the DeleteTaskSet operation',
  )
  const { taskSet: other } = await account.ecs.createTaskSet({
    cluster: 'tour',
    service: 'web',
    taskDefinition: 'tour',
  })
  expect(
    await aws`delete-task-set --cluster tour --service web --task-set ${other?.id} --force`,
  ).toMatchObject({ taskSet: { id: other?.id } })
}
