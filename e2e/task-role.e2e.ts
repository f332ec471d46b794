import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OneInstance, polite, runtimeId } from './one-instance.ts'

const execute = promisify(execFile)
const trustsTasks = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ],
})
let one: OneInstance
let secret: string

/** A secret, a role that may read it, and one that may not. */
beforeAll(async () => {
  one = await OneInstance.start([], ['--iam', 'enforce', '--no-fargate'])
  const { key, berth } = one.world
  const client = { region: 'us-east-1', credentials: key, endpoint: berth.url }
  const { ARN = '' } = await new SecretsManagerClient(client).send(
    new CreateSecretCommand({ Name: 'db', SecretString: 'swordfish' }),
  )
  secret = ARN
  const iam = new IAMClient(client)
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: 'reads-db',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: ARN }],
      }),
    }),
  )
  for (const RoleName of ['reader', 'other'])
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustsTasks }))
  await iam.send(new AttachRolePolicyCommand({ RoleName: 'reader', PolicyArn: Policy?.Arn }))
})
afterAll(() => one.end())

/** What a program says that runs with the network and the environment of the task's container, and with nothing else. */
async function inside(task: Task, program: string): Promise<string> {
  const printed = await one.docker('exec', runtimeId(task), 'env')
  const environment = Object.fromEntries(printed.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)))
  const pid = await one.docker('inspect', '--format', '{{.State.Pid}}', runtimeId(task))
  const { stdout } = await execute(
    'nsenter',
    [`--net=/proc/${pid}/ns/net`, process.execPath, '--input-type=module', '--eval', program],
    { env: { ...environment, PATH: process.env['PATH'] } as NodeJS.ProcessEnv },
  )
  return stdout.trim()
}

const running = async (role: string): Promise<Task> => {
  const taskRoleArn = `arn:aws:iam::000000000000:role/${role}`
  return one.at(await one.run([{ command: polite }], { taskRoleArn }), 'RUNNING')
}
const reads = (id: string): string => `
  import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
  const asked = new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: '${id}' }))
  console.log(await asked.then(({ SecretString }) => SecretString, ({ name, message }) => name + ': ' + message))`

test('an SDK in a task reads a secret as its task role, with no configuration; another role is refused', async () => {
  const [reader, other] = await Promise.all([running('reader'), running('other')])
  expect(await inside(reader, reads('db'))).toBe('swordfish')
  const session = `arn:aws:sts::000000000000:assumed-role/other/${other.taskArn?.split('/').at(-1)}`
  expect(await inside(other, reads('db'))).toBe(
    `AccessDeniedException: User: ${session} is not authorized to perform: secretsmanager:GetSecretValue on resource: ${secret} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
  )
})

test('a role that nobody made is refused before anything starts', async () => {
  await expect(running('nobody')).rejects.toThrow(
    /ECS was unable to assume the role 'arn:aws:iam::000000000000:role\/nobody'/,
  )
})
