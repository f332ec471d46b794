import { expect, test } from 'vitest'
import { fileContributions, neededFiles, objectPlace, readEnvironmentFile } from './environment-file.ts'
import type { TaskRecord } from './task-record.ts'

test.each([
  ['a variable', 'A=1', { A: '1' }],
  ['comments and empty lines', '#x\n\nA=1\n# B=2\n', { A: '1' }],
  ['quotes, which are part of the value', 'B="q"', { B: '"q"' }],
  ['a value with an equals sign', 'URL=http://x/?a=b', { URL: 'http://x/?a=b' }],
  ['an empty value', 'A=', { A: '' }],
  ['spaces, which stay', 'A= 1 ', { A: ' 1 ' }],
  ['lines that are no assignment', 'nothing\n=1', {}],
  ['no interpolation', 'A=1\nB=$A', { A: '1', B: '$A' }],
  ['line ends of Windows', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['a name twice, of which the last counts', 'A=1\nA=2', { A: '2' }],
])('reads %s', (_, text, variables) => {
  expect(readEnvironmentFile(text)).toEqual(variables)
})

test.each([
  ['arn:aws:s3:::files/prod/web.env', { bucket: 'files', key: 'prod/web.env' }],
  ['arn:aws-cn:s3:::files/a.env', { bucket: 'files', key: 'a.env' }],
  ['arn:aws:s3:::files', undefined],
  ['s3://files/a.env', undefined],
])('finds the object of %s', (arn, place) => {
  expect(objectPlace(arn)).toEqual(place)
})

const record = {
  task: {
    containers: [
      { name: 'web', environmentFiles: [{ value: 'one' }, { value: 'two' }] },
      { name: 'side', environmentFiles: [{ value: 'two' }] },
      { name: 'plain' },
    ],
  },
} as unknown as TaskRecord

test('each file is fetched once, and of a name in two files the first counts', () => {
  expect(neededFiles(record)).toEqual(['one', 'two'])
  const texts = new Map([
    ['one', 'A=1\nB=1'],
    ['two', 'B=2\nC=2'],
  ])
  expect(fileContributions(record, texts)).toEqual({
    web: { environment: { A: '1', B: '1', C: '2' } },
    side: { environment: { B: '2', C: '2' } },
  })
})
