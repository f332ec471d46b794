// Inputs of CloudWatch Logs' operations that succeed; see samples-testing.ts.
import type { Samples } from './samples-testing.ts'

const logGroupName = '/ecs/web'
const logStreamName = 'web/app/1'
const stream = { logGroupName, logStreamName }
/** Where a test's clock begins. */
const start = Date.UTC(2026, 0, 1)
const logEvents = [
  { timestamp: start, message: 'begins' },
  { timestamp: start + 1, message: '{"level":"error"}' },
]
const arn = `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}`
const policyDocument = '{"Version":"2012-10-17","Statement":[]}'

export const logsSamples: Samples = {
  CreateLogGroup: [{ logGroupName: '/ecs/new' }, { logGroupName: 'other', tags: { team: 'a' } }],
  CreateLogStream: [{ logGroupName, logStreamName: 'web/app/3' }],
  PutLogEvents: [{ ...stream, logEvents }],
  GetLogEvents: [stream, { ...stream, limit: 1 }, { logGroupIdentifier: arn, logStreamName }],
  FilterLogEvents: [{ logGroupName }, { logGroupIdentifier: arn, filterPattern: '{ $.level = "error" }' }],
  DescribeLogGroups: [{}, { logGroupNamePrefix: '/ecs' }],
  ListLogGroups: [{}],
  DescribeLogStreams: [{ logGroupName }, { logGroupName, orderBy: 'LastEventTime' }],
  DeleteLogStream: [stream],
  DeleteLogGroup: [{ logGroupName }],
  PutRetentionPolicy: [{ logGroupName, retentionInDays: 7 }],
  DeleteRetentionPolicy: [{ logGroupName }],
  PutLogGroupDeletionProtection: [
    { logGroupIdentifier: logGroupName, deletionProtectionEnabled: true },
    { logGroupIdentifier: logGroupName, deletionProtectionEnabled: false },
  ],
  PutResourcePolicy: [{ policyName: 'p', policyDocument }],
  DeleteResourcePolicy: [{ policyName: 'p' }],
  TagLogGroup: [{ logGroupName, tags: { stage: 'b' } }],
  UntagLogGroup: [{ logGroupName, tags: ['team'] }],
  ListTagsLogGroup: [{ logGroupName }],
  TagResource: [{ resourceArn: arn, tags: { stage: 'b' } }],
  UntagResource: [{ resourceArn: arn, tagKeys: ['team'] }],
  ListTagsForResource: [{ resourceArn: arn }],
  TestMetricFilter: [{ filterPattern: '[ip, status = 4*]', logEventMessages: ['10.0.0.1 404', 'x'] }],
}

export const logsTexts: Readonly<Record<string, readonly string[]>> = {
  logGroupName: [logGroupName, '/ecs/new', 'other', 'none'],
  logGroupIdentifier: [arn, `${arn}:*`, logGroupName],
  resourceArn: [arn, `${arn}:*`],
  logGroupNamePrefix: ['/ecs', 'none'],
  logGroupNamePattern: ['ecs', '^/ecs|other'],
  logGroupIdentifiers: [logGroupName, arn],
  logStreamName: [logStreamName, 'web/app/2', 'none', ''],
  logStreamNames: [logStreamName, 'web/app/2'],
  logStreamNamePrefix: ['web', 'none'],
  filterPattern: ['begins', '{ $.level = "error" }', '[a, b]', '?x ?begins', '-begins', '{'],
  policyName: ['p', 'q'],
  policyDocument: [policyDocument, '{'],
  tagKeys: ['team', 'none'],
  tags: ['team', 'none'],
}

export const logsPrelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateLogGroup', { logGroupName, tags: { team: 'a' } }],
  ['CreateLogStream', stream],
  ['CreateLogStream', { logGroupName, logStreamName: 'web/app/2' }],
  ['PutLogEvents', { ...stream, logEvents }],
  ['PutResourcePolicy', { policyName: 'p', policyDocument }],
]
