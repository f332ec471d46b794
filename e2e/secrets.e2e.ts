/** Secrets of Secrets Manager and parameters of SSM in real containers, by a real control plane and agent, and nowhere else. */
import { execFileSync } from 'node:child_process'
import { readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DescribeImagesCommand } from '@aws-sdk/client-ec2'
import { GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, type Secret } from '@aws-sdk/client-ecs'
import {
  CreateSecretCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import {
  DescribeParametersCommand,
  GetParameterCommand,
  type ParameterType,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OneInstance, polite, runtimeId } from './one-instance.ts'

let one: OneInstance
let secretsManager: SecretsManagerClient
let ssm: SSMClient
let arn: string
let versions: { readonly first: string; readonly second: string }
beforeAll(async () => {
  one = await OneInstance.start()
  const client = { region: 'us-east-1', credentials: one.world.key, endpoint: one.world.berth.url }
  secretsManager = new SecretsManagerClient(client)
  ssm = new SSMClient(client)
  const first = await create('db', '{"u":"a","p":5,"on":true,"planted":"PLANTED-json"}')
  const second = await secretsManager.send(
    new PutSecretValueCommand({ SecretId: 'db', SecretString: '{"u":"PLANTED-second"}' }),
  )
  arn = first.ARN ?? ''
  versions = { first: first.VersionId ?? '', second: second.VersionId ?? '' }
  await secretsManager.send(
    new CreateSecretCommand({ Name: 'blob', SecretBinary: Buffer.from('PLANTED-binary') }),
  )
  await put('plain', 'String', 'PLANTED-plain')
  await put('/app/secure', 'SecureString', 'PLANTED-secure')
  await put('/app/list', 'StringList', 'a,b')
})
afterAll(async () => {
  secretsManager.destroy()
  ssm.destroy()
  await one.end()
})

const executionRoleArn = 'arn:aws:iam::000000000000:role/nobody-made-it'
const asked = async (...words: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await one.world.aws(...words)) as Record<string, unknown>

const create = (Name: string, SecretString: string) =>
  secretsManager.send(new CreateSecretCommand({ Name, SecretString }))
const put = (Name: string, Type: ParameterType, Value: string, to = ssm) =>
  to.send(new PutParameterCommand({ Name, Type, Value }))
const read = async (Name: string) =>
  (await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter
const parameterArn = (path: string, region = 'us-east-1') =>
  `arn:aws:ssm:${region}:000000000000:parameter${path}`

test('the AWS CLI puts and reads', async () => {
  await asked('ssm', 'put-parameter', '--name', '/cli/a', '--type', 'SecureString', '--value', 'PLANTED-cli')
  const shown = await asked('ssm', 'get-parameters-by-path', '--path', '/cli', '--with-decryption')
  expect(shown).toMatchObject({ Parameters: [{ Name: '/cli/a', Value: 'PLANTED-cli', Version: 1 }] })
  expect(JSON.stringify(await asked('ssm', 'get-parameter', '--name', '/cli/a'))).not.toContain('PLANTED')
  expect(await asked('secretsmanager', 'describe-secret', '--secret-id', 'db')).toMatchObject({
    VersionIdsToStages: { [versions.first]: ['AWSPREVIOUS'], [versions.second]: ['AWSCURRENT'] },
  })
  expect(await asked('secretsmanager', 'get-secret-value', '--secret-id', 'blob')).toMatchObject({
    SecretBinary: Buffer.from('PLANTED-binary').toString('base64'),
  })
  await expect(asked('secretsmanager', 'get-secret-value', '--secret-id', 'none')).rejects.toThrow(
    "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.",
  )
})

test('the published parameter of the recommended image names an image that there is', async () => {
  const { Images } = await one.world.ec2.send(new DescribeImagesCommand({ Owners: ['amazon'] }))
  const name = '/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id'
  expect((await read(name))?.Value).toBe(Images?.[0]?.ImageId)
})

test('each form of a secret is a variable of the container', async () => {
  const forms: Readonly<Record<string, readonly [valueFrom: string, value: string]>> = {
    WHOLE: [arn, '{"u":"PLANTED-second"}'],
    WHOLE_COLONS: [`${arn}:::`, '{"u":"PLANTED-second"}'],
    KEY: [`${arn}:u::`, 'PLANTED-second'],
    PREVIOUS: [`${arn}:planted:AWSPREVIOUS:`, 'PLANTED-json'],
    NUMBER: [`${arn}:p:AWSPREVIOUS:`, '5'],
    BOOLEAN: [`${arn}:on:AWSPREVIOUS:`, 'true'],
    VERSION: [`${arn}:u::${versions.first}`, 'a'],
    STAGE_AND_VERSION: [`${arn}:u:AWSPREVIOUS:${versions.first}`, 'a'],
    NAME: ['plain', 'PLANTED-plain'],
    PATH: ['/app/secure', 'PLANTED-secure'],
    ARN: [parameterArn('/app/secure'), 'PLANTED-secure'],
    ARN_OF_NAME: [parameterArn('/plain'), 'PLANTED-plain'],
    LIST: ['/app/list', 'a,b'],
  }
  const secrets: Secret[] = Object.entries(forms).map(([name, [valueFrom]]) => ({
    name: `S_${name}`,
    valueFrom,
  }))
  const printed = await one.printed('env | grep ^S_ | sort', { secrets }, { executionRoleArn })
  const expected = Object.entries(forms).map(([name, [, value]]) => `S_${name}=${value}`)
  expect(printed.split('\n')).toEqual(expected.toSorted())
})

test('a parameter of another region is fetched there', async () => {
  const { key, berth } = one.world
  const far = new SSMClient({ region: 'eu-west-1', credentials: key, endpoint: berth.url })
  await put('/far', 'String', 'far', far)
  far.destroy()
  const secrets = [{ name: 'FAR', valueFrom: parameterArn('/far', 'eu-west-1') }]
  expect(await one.printed('echo $FAR', { secrets }, { executionRoleArn })).toBe('far')
})

describe('what cannot be had stops the task before it starts', () => {
  const missing = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf'
  test.each([
    [
      'a missing secret',
      (): string => missing,
      /^ResourceNotFoundException: The task can't retrieve the secret with ARN 'arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf' from AWS Secrets Manager\. Check whether the secret exists in the specified Region: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: [0-9a-f-]{36}, ResourceNotFoundException: Secrets Manager can't find the specified secret\.$/,
    ],
    [
      'a missing key',
      (): string => `${arn}:none::`,
      /^retrieved secret from Secrets Manager did not contain json key none$/,
    ],
    [
      'a missing stage',
      (): string => `${arn}::NONE:`,
      /ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: NONE$/,
    ],
    [
      'a stage of another version',
      (): string => `${arn}::AWSCURRENT:${versions.first}`,
      /^secret .*InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId\.$/,
    ],
    [
      'a binary secret',
      (): string => 'arn:aws:secretsmanager:us-east-1:000000000000:secret:blob',
      /the secret is binary, and only text can be given to a container$/,
    ],
    [
      'a missing parameter',
      (): string => '/none',
      /^fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: \/none$/,
    ],
    [
      'a missing parameter by its ARN',
      (): string => parameterArn('/none/here'),
      /^fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: \/none\/here$/,
    ],
  ] as const)('%s', async (_, valueFrom, reason) => {
    const secrets = [{ name: 'S', valueFrom: valueFrom() }]
    const task = await one.at(await one.run([{ secrets }], { executionRoleArn }), 'STOPPED')
    expect(task).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: expect.stringMatching(reason) as string,
    })
    expect(task.containers).toMatchObject([{ lastStatus: 'STOPPED' }])
    expect(task.containers?.[0]).not.toHaveProperty('runtimeId')
  })

  test('any secret without an execution role is refused already at its registration', async () => {
    await expect(one.run([{ secrets: [{ name: 'S', valueFrom: '/app/secure' }] }])).rejects.toThrow(
      "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    )
  })
})

test('a secret option reaches the log driver', async () => {
  await put('/app/labels', 'SecureString', 'PLANTED-label')
  const logConfiguration = {
    logDriver: 'json-file' as const,
    options: { 'max-size': '1m' },
    secretOptions: [{ name: 'labels', valueFrom: '/app/labels' }],
  }
  const task = await one.at(
    await one.run([{ command: polite, logConfiguration }], { executionRoleArn }),
    'RUNNING',
  )
  const { HostConfig } = await one.inspect(task)
  expect(HostConfig['LogConfig']).toEqual({
    Type: 'json-file',
    Config: { 'max-size': '1m', labels: 'PLANTED-label' },
  })
  await one.stop(task.taskArn ?? '')
})

test('a private registry is signed in to with a secret, and refuses another', async () => {
  const { authorizationData } = await one.world.ecr.send(new GetAuthorizationTokenCommand({}))
  const login = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString()
  const [username = '', password = ''] = login.split(':')
  const { ARN: right = '' } = await create('registry', JSON.stringify({ username, password }))
  const { ARN: wrong = '' } = await create(
    'registry-wrong',
    JSON.stringify({ username, password: 'PLANTED-wrong' }),
  )
  const pulling = (credentialsParameter: string) =>
    one.run([{ image: `${one.image}`, command: ['true'], repositoryCredentials: { credentialsParameter } }], {
      executionRoleArn,
    })
  expect(await one.at(await pulling(right), 'STOPPED')).toMatchObject({
    stopCode: 'EssentialContainerExited',
  })
  // Only who has the image already does without a pull.
  await one.docker('system', 'prune', '--force', '--all')
  expect(await one.at(await pulling(wrong), 'STOPPED')).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: expect.stringMatching(/^CannotPullContainerError: /) as string,
  })
  expect(await one.at(await pulling(arn), 'STOPPED')).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'asm fetching username: AuthorizationData is malformed, empty field',
  })
})

test('a task keeps the value it began with, and the next one has the new', async () => {
  await put('/app/turns', 'SecureString', 'old')
  const secrets = [{ name: 'TURNS', valueFrom: '/app/turns' }]
  const more = { executionRoleArn }
  const arnOf = await one.run([{ command: polite, secrets }], more)
  const task = await one.at(arnOf, 'RUNNING')
  await ssm.send(new PutParameterCommand({ Name: '/app/turns', Value: 'new', Overwrite: true }))
  expect(await one.docker('exec', runtimeId(task), 'sh', '-c', 'echo $TURNS')).toBe('old')
  expect(await one.printed('echo $TURNS', { secrets }, more)).toBe('new')
  await one.stop(arnOf)
})

test('planted values are nowhere but in the containers', async () => {
  const secrets = [
    { name: 'A', valueFrom: `${arn}:u::` },
    { name: 'B', valueFrom: '/app/secure' },
  ]
  const definition = { command: polite, secrets }
  const task = await one.at(await one.run([definition], { executionRoleArn }), 'RUNNING')
  expect(await one.docker('exec', runtimeId(task), 'sh', '-c', 'echo $A $B')).toBe(
    'PLANTED-second PLANTED-secure',
  )
  const metadata = await one.docker(
    'exec',
    runtimeId(task),
    'sh',
    '-c',
    'wget -qO- $ECS_CONTAINER_METADATA_URI_V4; wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task',
  )
  expect(metadata).toContain(runtimeId(task))
  const { Config } = await one.inspect(task)
  const shown = [
    metadata,
    Config.Labels,
    await one.task(task.taskArn ?? ''),
    await one.world.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: task.taskDefinitionArn })),
    await one.world.ecs.send(new DescribeServicesCommand({ cluster: one.cluster, services: ['none'] })),
    await secretsManager.send(new ListSecretsCommand({})),
    await ssm.send(new DescribeParametersCommand({})),
  ]
  expect(JSON.stringify(shown)).not.toContain('PLANTED')
  await one.stop(task.taskArn ?? '')
  expect(filesWith('PLANTED-(json|second|binary|secure|cli|wrong)', one.world.berth.directory)).toEqual([])
})

test('everything is there after a crash, and without its key nothing starts', async () => {
  const key = join(one.world.berth.directory, 'root.key')
  expect(statSync(key).mode & 0o777).toBe(0o600)
  await one.world.crash()
  renameSync(key, `${key}.away`)
  await expect(one.world.restart()).rejects.toThrow('berth up ended with 1')
  renameSync(`${key}.away`, key)
  await one.world.restart()
  expect((await read('/app/secure'))?.Value).toBe('PLANTED-secure')
})

/** The files of a data folder with the pattern in them, but for those of dockerd and its containerd, which hold containers' environments. */
function filesWith(pattern: string, directory: string): string[] {
  const instances = join(directory, 'instances')
  const dockers = readdirSync(instances).flatMap((id) =>
    ['docker', 'containerd'].map((folder) => join(instances, id, folder)),
  )
  try {
    const found = execFileSync('grep', ['-rlaE', pattern, directory], { encoding: 'utf8' })
    return found
      .split('\n')
      .filter((file) => file !== '' && !dockers.some((docker) => file.startsWith(`${docker}/`)))
  } catch (error) {
    // grep ends with 1 when it finds nothing.
    if ((error as { readonly status?: number }).status === 1) return []
    throw error
  }
}
