// Inputs of the operations of Secrets Manager and Parameter Store that succeed; see samples-testing.ts.
import { existing } from './any-input-testing.ts'
import type { Samples } from './samples-testing.ts'

const tokens = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(32))
const [first, second, third, last] = tokens
const policy =
  '{"Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"*","Resource":"*"}}'
const expires = '[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-02-01T00:00:00Z"}}]'
const SecretId = 's'
const Name = '/p/q'
const Tags = [{ Key: 'team', Value: 'a' }]

export const secretsmanagerSamples: Samples = {
  CreateSecret: [
    { Name: 'new', ClientRequestToken: third, SecretString: 'x' },
    { Name: 'bare', Tags },
  ],
  PutSecretValue: [{ SecretId, ClientRequestToken: last, SecretString: 'y' }],
  UpdateSecret: [
    { SecretId, ClientRequestToken: last, SecretString: 'z' },
    { SecretId, Description: 'changed' },
  ],
  UpdateSecretVersionStage: [
    { SecretId, VersionStage: 'MINE', MoveToVersionId: first },
    { SecretId, VersionStage: 'AWSCURRENT', RemoveFromVersionId: third, MoveToVersionId: second },
  ],
  BatchGetSecretValue: [{ SecretIdList: [SecretId] }, { Filters: [{ Key: 'name', Values: ['s'] }] }],
  GetSecretValue: [{ SecretId }],
  DescribeSecret: [{ SecretId }],
  ListSecrets: [{}],
  ListSecretVersionIds: [{ SecretId }],
  GetRandomPassword: [{}],
  ValidateResourcePolicy: [{ ResourcePolicy: policy, SecretId }],
  PutResourcePolicy: [
    { SecretId, ResourcePolicy: policy },
    { SecretId, ResourcePolicy: policy.replace('{"AWS":"123456789012"}', '"*"') },
  ],
  GetResourcePolicy: [{ SecretId }],
  DeleteResourcePolicy: [{ SecretId }],
  TagResource: [{ SecretId, Tags: [{ Key: 'stage', Value: 'b' }] }],
  UntagResource: [{ SecretId, TagKeys: ['team'] }],
  DeleteSecret: [{ SecretId }, { SecretId, RecoveryWindowInDays: 7 }],
  RestoreSecret: [{ SecretId: 'gone' }],
}

export const secretsmanagerTexts: Readonly<Record<string, readonly string[]>> = {
  Name: ['s', 'new', 'bare'],
  SecretId: ['s', 'gone', 'none'],
  SecretIdList: ['s', 'gone', 'none'],
  ClientRequestToken: tokens,
  VersionId: tokens,
  RemoveFromVersionId: tokens,
  MoveToVersionId: tokens,
  VersionStage: ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING', 'MINE'],
  VersionStages: ['AWSCURRENT', 'AWSPENDING', 'MINE'],
  ResourcePolicy: [policy, '{', '{}'],
  TagKeys: ['team', 'none'],
  ExcludeCharacters: ['abc', '@'],
  Values: ['s', 'team', '!s'],
}

export const secretsmanagerPrelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateSecret', { Name: 's', ClientRequestToken: first, SecretString: 'x', Tags }],
  ['PutSecretValue', { SecretId, ClientRequestToken: second, SecretString: 'y' }],
  ['PutSecretValue', { SecretId, ClientRequestToken: third, SecretString: 'z' }],
  ['CreateSecret', { Name: 'gone', ClientRequestToken: first, SecretString: 'x' }],
  ['DeleteSecret', { SecretId: 'gone' }],
]

export const ssmSamples: Samples = {
  PutParameter: [
    { Name: '/p/new', Type: 'String', Value: 'x' },
    { Name: '/p/key', Type: 'SecureString', Value: 'x', Tags },
    { Name, Value: 'y', Overwrite: true },
    { Name: '/p/end', Type: 'String', Value: 'x', Tier: 'Advanced', Policies: expires },
  ],
  GetParameter: [{ Name }, { Name: '/p/secure', WithDecryption: true }],
  GetParameters: [{ Names: [Name, '/p/secure'] }],
  GetParametersByPath: [{ Path: '/p' }, { Path: '/', Recursive: true }],
  GetParameterHistory: [{ Name }, { Name: '/p/secure' }],
  DescribeParameters: [{}],
  LabelParameterVersion: [{ Name, Labels: ['next'] }],
  UnlabelParameterVersion: [{ Name, ParameterVersion: 1, Labels: ['live'] }],
  DeleteParameter: [{ Name }],
  DeleteParameters: [{ Names: [Name] }],
  AddTagsToResource: [{ ResourceType: 'Parameter', ResourceId: Name, Tags: [{ Key: 'b', Value: 'c' }] }],
  RemoveTagsFromResource: [{ ResourceType: 'Parameter', ResourceId: Name, TagKeys: ['team'] }],
  ListTagsForResource: [{ ResourceType: 'Parameter', ResourceId: Name }],
  ResumeSession: [{ SessionId: existing }],
  TerminateSession: [{ SessionId: existing }],
}

const paths = [Name, 'p', '/p', '/p/new', '/p/secure', 'arn:aws:ssm:us-east-1:000000000000:parameter/p/q']
export const ssmTexts: Readonly<Record<string, readonly string[]>> = {
  Name: [...paths, `${Name}:1`, `${Name}:live`],
  Names: [...paths, `${Name}:1`, `${Name}:live`],
  ResourceId: paths,
  ResourceType: ['Parameter'],
  Path: ['/', '/p', '/p/q'],
  Labels: ['live', 'next', '1st'],
  Type: ['String', 'SecureString', 'StringList'],
  Policies: [expires],
  AllowedPattern: ['^x$', '^[0-9]$', '('],
  DataType: ['text', 'aws:ec2:image'],
  TagKeys: ['team', 'none'],
  SessionId: ['ecs-execute-command-0'],
}

export const ssmPrelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['PutParameter', { Name, Type: 'String', Value: 'x', Tags }],
  ['PutParameter', { Name, Value: 'y', Overwrite: true }],
  ['PutParameter', { Name: '/p/secure', Type: 'SecureString', Value: 'x' }],
  ['LabelParameterVersion', { Name, ParameterVersion: 1, Labels: ['live'] }],
]
