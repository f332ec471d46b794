/**
 * Any input that the models of Secrets Manager and Parameter Store allow gets an answer or an error of theirs, changes
 * nothing when it is refused, leaves rows that hold together, and no value in them that can be read.
 */
import * as secretsSdk from '@aws-sdk/client-secrets-manager'
import * as ssmSdk from '@aws-sdk/client-ssm'
import { prng } from '@berth/std/prng.ts'
import { AwsError } from '@berth/wire/error.ts'
import { loadModel } from '@berth/wire/model.ts'
import { missingMembers } from '@berth/wire/shape.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Operation } from '#api/operation.ts'
import { services } from '#api/services.ts'
import { testContext } from '#api/testing.ts'
import { taskReaper } from '#engines/task-reaper.ts'
import { brokenInvariants, brokenTables } from '#state/invariants.ts'
import { anyInput, enumsOf } from './any-input-testing.ts'

const planted = 'PLANTED'
const tokens = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
const enums = { secretsmanager: enumsOf(secretsSdk), ssm: enumsOf(ssmSdk) }
const names = ['s', 't', 'none']
const paths = ['p', '/p', '/p/q', '/p/q/r', 'arn:aws:ssm:us-east-1:000000000000:parameter/p/q']
const policy = '{"Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"*"}}'
const likelyTexts: Readonly<Record<string, readonly string[]>> = {
  SecretId: names,
  SecretIdList: names,
  ClientRequestToken: tokens,
  VersionId: tokens,
  RemoveFromVersionId: tokens,
  MoveToVersionId: tokens,
  VersionStage: ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING', 'MINE'],
  VersionStages: ['AWSCURRENT', 'AWSPENDING', 'MINE'],
  SecretString: [planted, `${planted}2`],
  Value: [planted],
  ResourcePolicy: [policy, '{', '{}'],
  ResourceId: paths,
  ResourceType: ['Parameter'],
  Names: [...paths, '/p:1', '/p:live'],
  Path: ['/', '/p', '/p/q'],
  Labels: ['live', 'next', '1st'],
  Type: ['String', 'SecureString', 'StringList'],
  Policies: ['[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-02-01T00:00:00Z"}}]'],
  AllowedPattern: [planted, '^[0-9]$', '('],
}
const named = { secretsmanager: names, ssm: paths }
const samples: Readonly<Record<string, object>> = {
  CreateSecret: { Name: 's', ClientRequestToken: tokens[0], SecretString: planted },
  PutSecretValue: { SecretId: 's', ClientRequestToken: tokens[1], SecretString: `${planted}2` },
  UpdateSecret: { SecretId: 's', ClientRequestToken: tokens[2], SecretString: `${planted}3` },
  UpdateSecretVersionStage: { SecretId: 's', VersionStage: 'AWSPREVIOUS', RemoveFromVersionId: tokens[0] },
  BatchGetSecretValue: { SecretIdList: ['s'] },
  ValidateResourcePolicy: { ResourcePolicy: policy },
  PutResourcePolicy: { SecretId: 's', ResourcePolicy: policy },
  PutParameter: { Name: '/p/q', Type: 'SecureString', Value: planted },
  LabelParameterVersion: { Name: '/p/q', Labels: ['live'] },
  UnlabelParameterVersion: { Name: '/p/q', ParameterVersion: 1, Labels: ['live'] },
}

const models = { secretsmanager: await loadModel('secretsmanager'), ssm: await loadModel('ssm') }
const operations = (['secretsmanager', 'ssm'] as const).flatMap((service) =>
  Object.entries(services[service]).flatMap(([name, row]) =>
    // What of Systems Manager is not Parameter Store has tests of its own.
    'run' in row && !name.endsWith('Session')
      ? [{ service, name, run: (row as Operation<object, object>).run }]
      : [],
  ),
)
const anyStep = fc.record({ operation: fc.constantFrom(...operations), seed: fc.nat() })

/** A request that passed the model: with all that is required. */
function inputOf({
  operation: { service, name },
  seed,
}: {
  operation: (typeof operations)[number]
  seed: number
}) {
  const shape = models[service].get(name)?.input
  if (!shape) throw new Error(`${name} is not in the model`)
  const chance = prng(seed)
  const likely = (member: string, struct: string): readonly string[] =>
    member === 'Name' ? named[service] : (likelyTexts[member] ?? enums[service](member, struct))
  const input = anyInput(
    { chance, likely, density: [0, 0, 0.05, 0.2][seed % 4] ?? 0, misfits: 0 },
    shape,
    chance() < 0.6 ? samples[name] : undefined,
  )
  if (typeof input['SecretBinary'] === 'string') input['SecretBinary'] = Buffer.from('binary')
  return missingMembers(shape, input).length > 0 ? undefined : input
}

test(
  'any calls get answers, and leave rows that hold together and show nothing',
  { timeout: 120_000 },
  async () => {
    const succeeded = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 15, maxLength: 50 }), async (steps) => {
        const context = await testContext()
        const { store, fleet, clock } = context
        const reaper = taskReaper()
        const wrong: string[] = []
        for (const step of steps) {
          const input = inputOf(step)
          if (!input) continue
          let changes = 0
          const unwatch = store.watch((made) => (changes += made.length))
          try {
            step.operation.run(context, input)
            succeeded.add(step.operation.name)
          } catch (error) {
            if (!(error instanceof AwsError) || changes > 0 || error.message.includes(planted))
              wrong.push(
                `${step.operation.name} ${JSON.stringify(input)}: ${String(error)}, ${changes} changes`,
              )
          }
          unwatch()
          clock.advance(step.seed % 86_400_000)
          store.update((tx) => void reaper.reconcile(tx, clock.now(), undefined))
        }
        const secure = store.list('parameterVersion').filter(({ type }) => type === 'SecureString')
        const readable = JSON.stringify([store.list('secretVersion'), secure.map(({ value }) => value)])
        expect(readable).not.toContain(planted)
        expect([...wrong, ...brokenInvariants(store, fleet), ...brokenTables(store)]).toEqual([])
      }),
      { numRuns: 150, seed: 20260101 },
    )
    expect(operations.map(({ name }) => name).filter((name) => !succeeded.has(name))).toEqual([])
  },
)
