/** Groups of CloudWatch Logs, and what hangs on them, as the SDK's client sees them. */
import type { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { logRetention } from '#engines/log-retention.ts'
import { logSweep } from './logs-sweep.ts'
import { kinds, logGroupName, type LogsWorld, logsWorld } from './logs-testing.ts'

describe.each(kinds)('with events %s', (kind) => {
  let world: LogsWorld
  let client: CloudWatchLogs
  let now: number
  const make = (): Promise<void> => world.make()
  const put = (...messages: readonly string[]): Promise<void> => world.put(...messages)
  beforeEach(async () => {
    world = await logsWorld(kind)
    client = world.client
    now = world.now
  })
  afterEach(() => world.end())

  test('groups come, are described and listed by pages, and go', async () => {
    for (const name of ['/ecs/b', '/ecs/a', '/ecr', '/other', '/ecs/a/b'])
      await client.createLogGroup({ logGroupName: name })
    await expect(client.createLogGroup({ logGroupName: '/other' })).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
    })
    const first = await client.describeLogGroups({ logGroupNamePrefix: '/ecs/', limit: 2 })
    expect(first.logGroups?.map((group) => group.logGroupName)).toEqual(['/ecs/a', '/ecs/a/b'])
    const second = await client.describeLogGroups({
      logGroupNamePrefix: '/ecs/',
      limit: 2,
      nextToken: first.nextToken,
    })
    expect(second.nextToken).toBeUndefined()
    expect(second.logGroups).toEqual([
      {
        logGroupName: '/ecs/b',
        creationTime: now,
        metricFilterCount: 0,
        arn: 'arn:aws:logs:us-east-1:000000000000:log-group:/ecs/b:*',
        logGroupArn: 'arn:aws:logs:us-east-1:000000000000:log-group:/ecs/b',
        storedBytes: 0,
        logGroupClass: 'STANDARD',
      },
    ])
    const named = await client.describeLogGroups({
      logGroupIdentifiers: ['/other', '/ecr', '/other', 'none'],
    })
    expect(named.logGroups?.map((group) => group.logGroupName)).toEqual(['/other', '/ecr'])
    const { logGroups } = await client.listLogGroups({ logGroupNamePattern: '^/ecs|ther' })
    expect(logGroups?.map((group) => group.logGroupName)).toEqual(['/ecs/a', '/ecs/a/b', '/ecs/b', '/other'])
    await client.deleteLogGroup({ logGroupName: '/other' })
    await expect(client.deleteLogGroup({ logGroupName: '/other' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
    })
  })

  test('a group that is protected stays until it is not', async () => {
    await client.createLogGroup({ logGroupName, deletionProtectionEnabled: true })
    await expect(client.deleteLogGroup({ logGroupName })).rejects.toThrow('deletion protection')
    await client.putLogGroupDeletionProtection({
      logGroupIdentifier: logGroupName,
      deletionProtectionEnabled: false,
    })
    await client.deleteLogGroup({ logGroupName })
  })

  test('tags, by the ARN and by the name', async () => {
    await client.createLogGroup({ logGroupName, tags: { team: 'a' } })
    const resourceArn = `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}`
    await client.tagResource({ resourceArn: `${resourceArn}:*`, tags: { stage: 'prod' } })
    await client.tagLogGroup({ logGroupName, tags: { cost: '1' } })
    expect((await client.listTagsForResource({ resourceArn })).tags).toEqual({
      team: 'a',
      stage: 'prod',
      cost: '1',
    })
    await client.untagResource({ resourceArn, tagKeys: ['team'] })
    await client.untagLogGroup({ logGroupName, tags: ['cost'] })
    expect((await client.listTagsLogGroup({ logGroupName })).tags).toEqual({ stage: 'prod' })
  })

  test('forgets what a group does not retain, and what no row names', async () => {
    await make()
    await client.createLogGroup({ logGroupName: 'kept' })
    await client.createLogStream({ logGroupName: 'kept', logStreamName: 's' })
    await put('old')
    await client.putRetentionPolicy({ logGroupName, retentionInDays: 1 })
    world.context.clock.advance(2 * 86_400_000)
    expect((await client.filterLogEvents({ logGroupName })).events).toEqual([])
    expect((await client.describeLogGroups({ logGroupNamePrefix: logGroupName })).logGroups).toMatchObject([
      { retentionInDays: 1, storedBytes: 3 },
    ])
    const kept = world.context.store.find('logGroup', 'arn:aws:logs:us-east-1:000000000000:log-group:kept')
    world.context.store.update((tx) => tx.delete('logGroup', kept?.logGroupArn ?? ''))
    const engine = logRetention(
      logSweep(world.store),
      (id) => world.context.store.count('logGroup', 'storeId', id) > 0,
    )
    const { effects = [] } = world.context.store.update((tx) =>
      engine.reconcile(tx, world.context.clock.now(), undefined),
    )
    for (const effect of effects) await engine.perform?.(effect)
    expect((await client.describeLogGroups({})).logGroups).toMatchObject([{ storedBytes: 0 }])
    expect(await world.store.listGroups()).toHaveLength(1)
    await client.deleteRetentionPolicy({ logGroupName })
    const { logGroups } = await client.describeLogGroups({})
    expect(logGroups?.[0]).not.toHaveProperty('retentionInDays')
  })

  test('resource policies are kept', async () => {
    const policyDocument = '{"Version":"2012-10-17","Statement":[]}'
    await client.putResourcePolicy({ policyName: 'p', policyDocument })
    expect((await client.describeResourcePolicies({})).resourcePolicies).toEqual([
      { policyName: 'p', policyDocument, lastUpdatedTime: now, policyScope: 'ACCOUNT' },
    ])
    await client.deleteResourcePolicy({ policyName: 'p' })
    await expect(client.deleteResourcePolicy({ policyName: 'p' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  test('metric filters are tried on messages', async () => {
    const { matches } = await client.testMetricFilter({
      filterPattern: '[ip, ..., status = 4*]',
      logEventMessages: ['10.0.0.1 GET 200', '10.0.0.2 GET 404'],
    })
    expect(matches).toEqual([
      {
        eventNumber: 2,
        eventMessage: '10.0.0.2 GET 404',
        extractedValues: { $ip: '10.0.0.2', $status: '404' },
      },
    ])
  })

  test('keys of KMS are refused, and so is what there is not', async () => {
    await expect(client.createLogGroup({ logGroupName, kmsKeyId: 'arn:aws:kms:x' })).rejects.toMatchObject({
      name: 'UnsupportedFeatureException',
    })
    await expect(client.startQuery({ queryString: 'x', startTime: 0, endTime: 1 })).rejects.toMatchObject({
      name: 'UnsupportedFeatureException',
    })
    await expect(client.putRetentionPolicy({ logGroupName: 'none', retentionInDays: 1 })).rejects.toThrow(
      'The specified log group does not exist.',
    )
    await make()
    await expect(client.putRetentionPolicy({ logGroupName, retentionInDays: 2 })).rejects.toThrow(
      /enum value set: \[1, 3, 5/,
    )
  })
})
