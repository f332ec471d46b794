/** What tests of the endpoint run on: a real server on a free port, with operations that only keep what they were given. */
import { systemClock } from '@berth/std/system-clock.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import type { AnyRow, Services } from '#api/services.ts'
import { operations as sts } from '#api/sts/operations.ts'
import { testContext } from '#api/testing.ts'
import type { Throttle } from '#api/throttle.ts'
import { createAwsEndpoint } from './aws-endpoint.ts'
import { createHttpServer } from './http-server.ts'
import { createMetrics } from './metrics.ts'

export const createdAt = new Date('2026-01-02T03:04:05.678Z')
export const knownKey = {
  accessKeyId: 'AKIAKNOWN',
  secretAccessKey: 'a secret of the test',
  accountId: '111111111111',
  principalArn: 'arn:aws:iam::111111111111:user/ann',
  userId: 'AIDAANN',
}

export interface TestEndpoint {
  readonly url: string
  /** What operations were given, calls of the authorization step, and reported errors, all of them newest last. */
  readonly seen: Array<{ input: unknown; context: Context }>
  readonly authorized: unknown[]
  readonly errors: unknown[]
  close(): Promise<void>
}

export async function startTestEndpoint(dev: boolean, throttle?: Throttle): Promise<TestEndpoint> {
  const seen: TestEndpoint['seen'] = []
  const authorized: unknown[] = []
  const errors: unknown[] = []
  const base = await testContext()
  base.store.update((tx) => tx.put('accessKey', knownKey))
  const metrics = createMetrics()
  const server = createHttpServer({
    aws: createAwsEndpoint({
      ...base,
      clock: systemClock,
      mode: { dev, defaultAccountId: '000000000000' },
      ...(throttle && { throttle }),
      onError: (error) => errors.push(error),
      authorize: ({ caller, action, resources }) => authorized.push({ by: caller.arn, action, resources }),
      observe: metrics.observe,
      services: testServices((input, context) => seen.push({ input, context })),
    }),
    health: () => ({ status: 'ready' }),
    metrics,
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  const url = `http://127.0.0.1:${listening.port}`
  return { url, seen, authorized, errors, close: () => server.close() }
}

function testServices(see: (input: unknown, context: Context) => void): Services {
  const answering = (output: object, resources: readonly string[] = ['*']): AnyRow => ({
    resources: () => resources,
    run: (context, input) => {
      see(input, context)
      return output
    },
  })
  const throwing = (error: Error): AnyRow => ({
    resources: () => ['*'],
    run: () => {
      throw error
    },
  })
  return {
    ecs: {
      ListClusters: answering({ clusterArns: ['arn:a'], nextToken: undefined, inner: 'never shown' }),
      RunTask: answering({ tasks: [{ taskArn: 'arn:t', createdAt, inner: 1 }], failures: [] }, [
        'arn:td',
        'arn:c',
      ]),
      DescribeTasks: throwing(new AwsError('ConflictException', 'already', 400, { resourceIds: ['r-1'] })),
      StopTask: throwing(new Error('a bug')),
      CreateCluster: { notImplemented: true },
    },
    ecr: {
      GetAuthorizationToken: {
        resources: () => ['*'],
        serve: () => Promise.resolve({ authorizationData: [{ expiresAt: createdAt }] }),
      },
    },
    ec2: {
      DescribeInstances: answering({
        Reservations: [
          {
            ReservationId: 'r-1',
            Instances: [
              {
                InstanceId: 'i-1',
                LaunchTime: createdAt,
                State: { Code: 16, Name: 'running' },
                Tags: [{ Key: 'a<b', Value: '"&\n' }],
                SecurityGroups: [],
              },
            ],
          },
        ],
      }),
      RunInstances: answering({ Instances: [] }),
      DeleteVpc: answering({}),
    },
    sts,
    events: {},
    logs: {},
    secretsmanager: {},
    ssm: {},
    iam: {},
    scheduler: {},
  }
}
