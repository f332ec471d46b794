import { expect, test } from 'vitest'
import { apiWorld } from './api-world-testing.ts'

const missing = (member: string): string =>
  `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`

test.each([
  ['ecs', 'StopTask', 'InvalidParameterException', missing('task')],
  [
    'ecr',
    'CreateRepository',
    'InvalidParameterException',
    "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must not be null'",
  ],
  ['ec2', 'DeleteSubnet', 'MissingParameter', 'The request must contain the parameter SubnetId'],
  ['iam', 'GetRole', 'ValidationError', missing('roleName')],
  ['events', 'DescribeRule', 'ValidationException', missing('name')],
  ['logs', 'CreateLogGroup', 'InvalidParameterException', missing('logGroupName')],
  ['secretsmanager', 'GetSecretValue', 'ValidationException', missing('secretId')],
  ['ssm', 'GetParameter', 'ValidationException', missing('name')],
] as const)('%s asks for what %s requires with %s', async (service, operation, code, message) => {
  const world = await apiWorld()
  const answer = await world.call(service, operation, {})
  // In XML an apostrophe is written as what stands for it.
  expect({
    ...answer,
    message: answer.message.replaceAll('&#39;', "'").replaceAll('&apos;', "'"),
  }).toMatchObject({
    status: 400,
    code,
    message,
    changes: [],
  })
})
