import fc from 'fast-check'
import { expect, test } from 'vitest'
import { moveStages, secretNameOf, type SecretVersion, surplusVersions } from './secret.ts'

const version = (versionId: string, ...stages: string[]): SecretVersion => ({
  secretArn: 'arn',
  versionId,
  stages,
  sealed: '',
  createdAt: Number(versionId),
})
const stagesOf = (versions: readonly SecretVersion[]) =>
  versions.map(({ versionId, stages }) => [versionId, ...stages])

test.each([
  ['the first version', [version('1')], ['AWSCURRENT'], '1', [['1', 'AWSCURRENT']]],
  [
    'a second one, of which the first is the previous',
    [version('1', 'AWSCURRENT'), version('2')],
    ['AWSCURRENT'],
    '2',
    [
      ['1', 'AWSPREVIOUS'],
      ['2', 'AWSCURRENT'],
    ],
  ],
  [
    'a third one, so that the first has no label left',
    [version('1', 'AWSPREVIOUS'), version('2', 'AWSCURRENT'), version('3')],
    ['AWSCURRENT'],
    '3',
    [['1'], ['2', 'AWSPREVIOUS'], ['3', 'AWSCURRENT']],
  ],
  [
    'a pending one, which stays pending',
    [version('1', 'AWSCURRENT'), version('2', 'AWSPENDING')],
    ['AWSCURRENT'],
    '2',
    [
      ['1', 'AWSPREVIOUS'],
      ['2', 'AWSCURRENT', 'AWSPENDING'],
    ],
  ],
  [
    'back to the previous one',
    [version('1', 'AWSPREVIOUS', 'PUT1'), version('2', 'AWSCURRENT')],
    ['AWSCURRENT'],
    '1',
    [
      ['1', 'AWSCURRENT', 'PUT1'],
      ['2', 'AWSPREVIOUS'],
    ],
  ],
  [
    'labels of the user’s own, which leave the others as they are',
    [version('1', 'AWSCURRENT', 'A'), version('2')],
    ['A', 'B'],
    '2',
    [
      ['1', 'AWSCURRENT'],
      ['2', 'A', 'B'],
    ],
  ],
] as const)('moves labels to %s', (_, versions, stages, to, after) => {
  expect(stagesOf(moveStages(versions, stages, to))).toEqual(after)
})

test('no label is ever on two versions, and AWSCURRENT is never lost', () => {
  const labels = fc.uniqueArray(fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'A', 'B'), { minLength: 1 })
  const moves = fc.array(fc.tuple(labels, fc.constantFrom('1', '2', '3')), { maxLength: 20 })
  fc.assert(
    fc.property(moves, (asked) => {
      let versions: readonly SecretVersion[] = [version('1', 'AWSCURRENT'), version('2'), version('3')]
      for (const [stages, to] of asked) versions = moveStages(versions, stages, to)
      const all = versions.flatMap(({ stages }) => stages)
      expect(new Set(all).size).toBe(all.length)
      expect(all).toContain('AWSCURRENT')
    }),
  )
})

test('of more than a hundred versions the oldest without labels are too many', () => {
  const versions = Array.from({ length: 103 }, (_, index) =>
    index === 0 ? version('0', 'AWSPREVIOUS') : version(String(index)),
  )
  expect(surplusVersions(versions).map(({ versionId }) => versionId)).toEqual(['1', '2', '3'])
  expect(surplusVersions(versions.slice(0, 100))).toEqual([])
})

test.each([
  ['db', { name: 'db' }],
  [
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/db-AbCdEf',
    { name: 'a/db-AbCdEf', scope: { accountId: '123456789012', region: 'eu-west-1' } },
  ],
  [
    'arn:aws:ssm:eu-west-1:123456789012:parameter/a',
    { name: 'arn:aws:ssm:eu-west-1:123456789012:parameter/a' },
  ],
])('reads %s', (id, expected) => {
  expect(secretNameOf(id)).toMatchObject(expected)
})
