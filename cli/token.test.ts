import { expect, test } from 'vitest'
import { parseDuration, parseTag } from './token.ts'

test.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
])('reads %s as a duration', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '1', 'h', '1.5h', '-1h', '1 h', '1w'])('takes "%s" for no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('--expires takes a duration')
})

test.each([
  ['site=edge', { key: 'site', value: 'edge' }],
  ['a=b=c', { key: 'a', value: 'b=c' }],
  ['empty=', { key: 'empty', value: '' }],
])('reads %s as a tag', (text, tag) => {
  expect(parseTag(text)).toEqual(tag)
})

test.each(['', 'name', '=value'])('takes "%s" for no tag', (text) => {
  expect(() => parseTag(text)).toThrow('--tags takes key=value')
})
