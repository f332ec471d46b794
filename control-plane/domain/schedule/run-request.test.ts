import { expect, test } from 'vitest'
import { OverridesError, overridesOf } from './overrides-input.ts'
import { runRequest } from './run-request.ts'

test('every member of a target becomes one of RunTask', () => {
  const target = {
    Arn: 'arn:c',
    Input: '{"cpu":"256","containerOverrides":[{"name":"a","environment":[{"name":"N","value":"<v>"}]}]}',
    EcsParameters: {
      TaskDefinitionArn: 'arn:td',
      TaskCount: 3,
      LaunchType: 'FARGATE' as const,
      NetworkConfiguration: {
        awsvpcConfiguration: {
          Subnets: ['s'],
          SecurityGroups: ['g'],
          AssignPublicIp: 'ENABLED' as const,
        },
      },
      PlatformVersion: '1.4.0',
      Group: 'group',
      CapacityProviderStrategy: [{ capacityProvider: 'p', weight: 1, base: 2 }],
      EnableECSManagedTags: true,
      EnableExecuteCommand: true,
      PlacementConstraints: [{ type: 'distinctInstance' as const }],
      PlacementStrategy: [{ type: 'binpack' as const, field: 'memory' }],
      PropagateTags: 'TASK_DEFINITION' as const,
      ReferenceId: 'r',
      Tags: [{ Key: 'k', Value: 'v' }],
    },
  }
  expect(runRequest(target, 'me', (input) => input.replace('<v>', 'filled in'))).toEqual({
    cluster: 'arn:c',
    taskDefinition: 'arn:td',
    startedBy: 'me',
    count: 3,
    launchType: 'FARGATE',
    networkConfiguration: {
      awsvpcConfiguration: { subnets: ['s'], securityGroups: ['g'], assignPublicIp: 'ENABLED' },
    },
    platformVersion: '1.4.0',
    group: 'group',
    capacityProviderStrategy: [{ capacityProvider: 'p', weight: 1, base: 2 }],
    enableECSManagedTags: true,
    enableExecuteCommand: true,
    placementConstraints: [{ type: 'distinctInstance' }],
    placementStrategy: [{ type: 'binpack', field: 'memory' }],
    propagateTags: 'TASK_DEFINITION',
    referenceId: 'r',
    tags: [{ key: 'k', value: 'v' }],
    overrides: {
      cpu: '256',
      containerOverrides: [{ name: 'a', environment: [{ name: 'N', value: 'filled in' }] }],
    },
  })
  expect(runRequest({ Arn: 'arn:c', EcsParameters: { TaskDefinitionArn: 'arn:td' } }, 'me')).toEqual({
    cluster: 'arn:c',
    taskDefinition: 'arn:td',
    startedBy: 'me',
    count: 1,
  })
})

test.each([
  ['{}', {}],
  ['{"other":{"a":1},"taskRoleArn":null}', {}],
  ['{"ephemeralStorage":{"sizeInGiB":30}}', { ephemeralStorage: { sizeInGiB: 30 } }],
  ['{"__proto__":{"cpu":"1"},"constructor":1}', {}],
])('the input %s says the overrides %j', (input, expected) => {
  expect(overridesOf(input)).toEqual(expected)
})

test.each([
  ['hello', 'the input is not JSON'],
  ['"hello"', 'the input is not an object'],
  ['[]', 'the input is not an object'],
  ['{"cpu":256}', 'the input.cpu is not a text'],
  ['{"containerOverrides":{}}', 'the input.containerOverrides is not a list'],
  ['{"containerOverrides":[{"command":"ls"}]}', 'the input.containerOverrides[0].command is not a list'],
  ['{"containerOverrides":[{"memory":0.5}]}', 'the input.containerOverrides[0].memory is not a number'],
])('the input %s says none: %s', (input, expected) => {
  expect(() => overridesOf(input)).toThrow(new OverridesError(expected))
})
