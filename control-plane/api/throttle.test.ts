import type { ServiceName } from '@berth/wire/model.ts'
import { loadModel } from '@berth/wire/model.ts'
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { familyOf, rateLimits } from './ecs/rate-limits.ts'
import { testContext, type TestContext } from './testing.ts'
import { awsThrottle, type Throttle } from './throttle.ts'

const here = { accountId: '000000000000', region: 'us-east-1' }
let clock: TestContext['clock']
let throttle: Throttle
beforeEach(async () => {
  clock = (await testContext()).clock
  throttle = awsThrottle(clock)
})

const passes = (operation: string, scope = here, service: ServiceName = 'ecs'): boolean => {
  try {
    throttle(scope, service, operation)
    return true
  } catch (error) {
    expect(error).toMatchObject({
      code: 'ThrottlingException',
      message: 'Rate exceeded',
      httpStatus: 400,
    })
    return false
  }
}
const passing = (operation: string, count: number): number =>
  Array.from({ length: count }, () => passes(operation)).filter(Boolean).length

test('of 21 CreateCluster at once the 21st is throttled, and one more passes a second later', () => {
  expect(passing('CreateCluster', 20)).toBe(20)
  expect(passes('CreateCluster')).toBe(false)
  clock.advance(999)
  expect(passes('CreateCluster')).toBe(false)
  clock.advance(1)
  expect([passes('CreateCluster'), passes('CreateCluster')]).toEqual([true, false])
})

test('the operations of a family take from one bucket, those of another from theirs', () => {
  expect([passing('DescribeClusters', 30), passing('ListClusters', 30)]).toEqual([30, 20])
  expect(passes('CreateCluster')).toBe(true)
})

test('each account has its own in each region', () => {
  passing('CreateCluster', 20)
  expect([
    passes('CreateCluster'),
    passes('CreateCluster', { ...here, region: 'eu-west-1' }),
    passes('CreateCluster', { ...here, accountId: '111111111111' }),
  ]).toEqual([false, true, true])
})

test('a bucket holds no more than its burst, however long nobody came', () => {
  passing('DeleteTaskDefinitions', 5)
  clock.advance(3_600_000)
  expect(passing('DeleteTaskDefinitions', 7)).toBe(5)
})

test('other services are not throttled', () => {
  const passed = Array.from({ length: 500 }, () => passes('DescribeInstances', here, 'ec2'))
  expect(passed).not.toContain(false)
})

test('every operation of the model has a family', async () => {
  expect(Object.keys(familyOf).toSorted()).toEqual([...(await loadModel('ecs')).keys()].toSorted())
})

test('in any stretch of time no more than burst and refill pass, and who keeps to the rate always does', () => {
  const { burst, perSecond } = rateLimits.serviceRead
  fc.assert(
    fc.property(fc.array(fc.nat(400), { minLength: 200, maxLength: 400 }), (waitsMs) => {
      throttle = awsThrottle(clock)
      const startedAt = clock.now()
      let passed = 0
      for (const waitMs of waitsMs) {
        clock.advance(waitMs % 7 === 0 ? 0 : waitMs >> 4)
        if (passes('ListServices')) passed++
        expect(passed).toBeLessThanOrEqual(burst + ((clock.now() - startedAt) * perSecond) / 1000)
      }
      clock.advance(1000 / perSecond)
      expect(passes('ListServices')).toBe(true)
    }),
    { numRuns: 30 },
  )
})
