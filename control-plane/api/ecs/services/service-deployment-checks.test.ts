import type { CreateServiceRequest, DeploymentConfiguration } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import { alarms, breaker, createWeb, deploy, hook, pause, putDefinitions } from './service-testing.ts'
import { updateService } from './service-update.ts'
import { putCluster, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext

beforeEach(async () => {
  context = await testContext()
  putCluster(context, 'c')
  putDefinitions(context)
})

const create = (input: Partial<CreateServiceRequest> = {}) => createWeb(context, input)
const invalid = 'InvalidParameterException: '

test.each<[string, DeploymentConfiguration, string]>([
  [
    'strategy',
    { strategy: 'X' as 'ROLLING' },
    'deployment strategy should be one of [ROLLING,BLUE_GREEN,LINEAR,CANARY]',
  ],
  ['bake time', { bakeTimeInMinutes: 1441 }, 'bakeTimeInMinutes must be between 0 and 1440.'],
  [
    'steps of another strategy',
    { strategy: 'CANARY', linearConfiguration: {} },
    'linearConfiguration is only valid when the deployment strategy is LINEAR.',
  ],
  [
    'canary of another strategy',
    { canaryConfiguration: {} },
    'canaryConfiguration is only valid when the deployment strategy is CANARY.',
  ],
  [
    'small step',
    { strategy: 'LINEAR', linearConfiguration: { stepPercent: 2.9 } },
    'stepPercent must be between 3.0 and 100.0.',
  ],
  [
    'odd step',
    { strategy: 'LINEAR', linearConfiguration: { stepPercent: 3.05 } },
    'stepPercent must be a multiple of 0.1.',
  ],
  [
    'step bake',
    { strategy: 'LINEAR', linearConfiguration: { stepBakeTimeInMinutes: 1441 } },
    'stepBakeTimeInMinutes must be between 0 and 1440.',
  ],
  [
    'canary',
    { strategy: 'CANARY', canaryConfiguration: { canaryPercent: 100.1 } },
    'canaryPercent must be between 0.1 and 100.0.',
  ],
  [
    'canary bake',
    { strategy: 'CANARY', canaryConfiguration: { canaryBakeTimeInMinutes: -1 } },
    'canaryBakeTimeInMinutes must be between 0 and 1440.',
  ],
  [
    'hook without stage',
    { lifecycleHooks: [{ ...hook, lifecycleStages: [] }] },
    'lifecycleStages can not be empty.',
  ],
  [
    'hook at a stage that takes none',
    { lifecycleHooks: [{ ...hook, lifecycleStages: ['BAKE_TIME' as 'PRE_SCALE_UP'] }] },
    'lifecycle stage should be one of [RECONCILE_SERVICE,PRE_SCALE_UP,POST_SCALE_UP,TEST_TRAFFIC_SHIFT,POST_TEST_TRAFFIC_SHIFT,PRE_PRODUCTION_TRAFFIC_SHIFT,PRODUCTION_TRAFFIC_SHIFT,POST_PRODUCTION_TRAFFIC_SHIFT]',
  ],
  [
    'hook without function',
    { lifecycleHooks: [{ ...hook, hookTargetArn: undefined }] },
    'hookTargetArn must be the ARN of a Lambda function for AWS_LAMBDA lifecycle hooks.',
  ],
  [
    'hook without role',
    { lifecycleHooks: [{ ...hook, roleArn: undefined }] },
    'roleArn must be the ARN of an IAM role for AWS_LAMBDA lifecycle hooks.',
  ],
  [
    'pause with function',
    { lifecycleHooks: [{ ...hook, targetType: 'PAUSE' }] },
    'hookTargetArn is not supported for PAUSE lifecycle hooks.',
  ],
  [
    'pause while traffic shifts',
    { lifecycleHooks: [{ targetType: 'PAUSE', lifecycleStages: ['TEST_TRAFFIC_SHIFT'] }] },
    'PAUSE lifecycle hooks are not supported at lifecycle stage TEST_TRAFFIC_SHIFT.',
  ],
  [
    'long pause',
    {
      lifecycleHooks: [
        {
          targetType: 'PAUSE',
          lifecycleStages: ['PRE_SCALE_UP'],
          timeoutConfiguration: { timeoutInMinutes: 20_161 },
        },
      ],
    },
    'timeoutInMinutes must be between 1 and 20160.',
  ],
  [
    'threshold',
    {
      deploymentCircuitBreaker: {
        ...breaker,
        thresholdConfiguration: { type: 'X' as 'COUNT', value: 1 },
      },
    },
    'threshold type should be one of [COUNT,BOUNDED_PERCENT,UNBOUNDED_PERCENT]',
  ],
  [
    'threshold of nothing',
    { deploymentCircuitBreaker: { ...breaker, thresholdConfiguration: { type: 'COUNT', value: 0 } } },
    'The value of thresholdConfiguration must be at least 1.',
  ],
  [
    'no alarm',
    { alarms: { ...alarms, alarmNames: [] } },
    'alarmNames can not be empty when alarms are enabled.',
  ],
  [
    'early success of nothing',
    { earlySuccessCriteria: { enable: true } },
    'earlySuccessCriteria requires healthyPercent and sourceServiceRevisionCleanup.',
  ],
  [
    'early success below the minimum',
    {
      earlySuccessCriteria: {
        enable: true,
        healthyPercent: 99,
        sourceServiceRevisionCleanup: 'DEFERRED',
      },
    },
    'healthyPercent must be greater than or equal to minimumHealthyPercent.',
  ],
])('refuses to deploy with a wrong %s', (_, configuration, message) => {
  expect(refusalOf(() => create(deploy(configuration)))).toBe(`${invalid}${message}`)
})

const whole = { maximumPercent: 200, minimumHealthyPercent: 100 }

test.each<[string, DeploymentConfiguration, DeploymentConfiguration]>([
  ['BLUE_GREEN', { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 }, { bakeTimeInMinutes: 5 }],
  [
    'LINEAR',
    { strategy: 'LINEAR' },
    { linearConfiguration: { stepPercent: 10, stepBakeTimeInMinutes: 6 }, bakeTimeInMinutes: 0 },
  ],
  [
    'CANARY',
    { strategy: 'CANARY', canaryConfiguration: { canaryPercent: 0.1 }, lifecycleHooks: [pause] },
    { canaryConfiguration: { canaryPercent: 0.1 }, lifecycleHooks: [pause] },
  ],
  ['ROLLING', { bakeTimeInMinutes: 3 }, { strategy: 'ROLLING', bakeTimeInMinutes: 3 }],
])('takes %s, with what it says and the defaults of the rest', (_, configuration, shown) => {
  expect(create(deploy(configuration))?.deploymentConfiguration).toMatchObject({
    strategy: configuration.strategy ?? 'ROLLING',
    ...whole,
    ...shown,
  })
})

test('an update to another strategy leaves what belonged to the last one behind', () => {
  create(deploy({ strategy: 'LINEAR', linearConfiguration: { stepPercent: 50 } }))
  const update = (strategy: 'CANARY' | 'ROLLING') =>
    updateService.run(context, { cluster: 'c', service: 'web', deploymentConfiguration: { strategy } })
      .service?.deploymentConfiguration
  expect(update('CANARY')).toMatchObject({ canaryConfiguration: { canaryPercent: 5 } })
  expect(update('ROLLING')).toEqual({
    deploymentCircuitBreaker: { enable: false, rollback: false },
    strategy: 'ROLLING',
    bakeTimeInMinutes: 0,
    ...whole,
  })
})
