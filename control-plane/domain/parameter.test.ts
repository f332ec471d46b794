import { expect, test } from 'vitest'
import { parameterArnOf, parentPath, parseParameterReference, pathOf } from './parameter.ts'

const scope = { accountId: '123456789012', region: 'eu-west-1' }
const arn = 'arn:aws:ssm:eu-west-1:123456789012:parameter'

test.each([
  ['foo', `${arn}/foo`, '/', '/foo'],
  ['/foo', `${arn}/foo`, '/', '/foo'],
  ['/a/b/c', `${arn}/a/b/c`, '/a/b', '/a/b/c'],
])('%s is kept as %s, directly under %s', (name, parameterArn, parent, path) => {
  expect(parameterArnOf(scope, name)).toBe(parameterArn)
  expect(parentPath({ parameterArn })).toBe(parent)
  expect(pathOf(parameterArn)).toBe(path)
})

test.each([
  ['foo', { name: 'foo' }],
  ['/a/b:3', { name: '/a/b', selector: '3' }],
  ['foo:live', { name: 'foo', selector: 'live' }],
  [`${arn}/a/b`, { name: `${arn}/a/b` }],
  [`${arn}/a/b:live`, { name: `${arn}/a/b`, selector: 'live' }],
  ['foo:1:2', undefined],
  ['foo:', undefined],
])('reads %s', (text, expected) => {
  expect(parseParameterReference(text)).toEqual(expected)
})
