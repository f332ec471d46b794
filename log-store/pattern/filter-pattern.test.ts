import { describe, expect, test } from 'vitest'
import { parseFilterPattern } from './filter-pattern.ts'
import { PatternError } from './pattern-text.ts'

const messages = {
  error: '[ERROR 400] BAD REQUEST',
  unauthorized: '[ERROR 401] UNAUTHORIZED REQUEST',
  failed: '[ERROR 419] MISSING ARGUMENTS',
  invalid: '[ERROR 420] INVALID ARGUMENTS',
} as const
type Name = keyof typeof messages

describe('terms', () => {
  test.each<[string, readonly Name[]]>([
    ['', ['error', 'unauthorized', 'failed', 'invalid']],
    ['" "', ['error', 'unauthorized', 'failed', 'invalid']],
    ['ERROR', ['error', 'unauthorized', 'failed', 'invalid']],
    ['error', []],
    ['ERROR ARGUMENTS', ['failed', 'invalid']],
    ['?400 ?419', ['error', 'failed']],
    ['"BAD REQUEST"', ['error']],
    ['"REQUEST BAD"', []],
    ['ERROR -400 -401', ['failed', 'invalid']],
    ['ERROR -"BAD REQUEST"', ['unauthorized', 'failed', 'invalid']],
    ['-ARGUMENTS', ['error', 'unauthorized']],
    // Optional terms count for nothing beside others.
    ['?400 ARGUMENTS', ['failed', 'invalid']],
    ['%4[01]0%', ['error']],
    ['%ERROR 4[0-1][0-9]%', ['error', 'unauthorized', 'failed']],
    ['%^BAD%', []],
    ['%BAD|MISSING%', ['error', 'failed']],
    ['-%ARG% ERROR', ['error', 'unauthorized']],
  ])('%s', (pattern, expected) => {
    const { matches } = parseFilterPattern(pattern)
    expect(Object.keys(messages).filter((name) => matches(messages[name as Name]))).toEqual(expected)
  })

  test('a quote within quotes', () => {
    expect(parseFilterPattern(String.raw`"say \"no\""`).matches('they say "no" again')).toBe(true)
  })

  test('every message that matches contains the needle', () => {
    expect(parseFilterPattern('a longer -x ?y').needle?.toString()).toBe('longer')
    expect(parseFilterPattern('?a ?b').needle).toBeUndefined()
    expect(parseFilterPattern('%a%').needle).toBeUndefined()
  })
})

const event = {
  eventType: 'UpdateTrail',
  sourceIPAddress: '111.111.111.111',
  arrayKey: ['value', 'another value'],
  objectList: [
    { name: 'a', id: 1 },
    { name: 'b', id: 2 },
  ],
  SomeObject: null,
  ThisFlag: true,
  ThatFlag: false,
  'cluster-name': 'c',
  status: 404,
  text: '404',
  latency: 1.5e3,
  user: { id: 1, email: 'John.Stiles@example.com' },
}

describe('JSON', () => {
  const message = JSON.stringify(event)
  test.each([
    ['{ $.eventType = "UpdateTrail" }', true],
    ['{ $.eventType = UpdateTrail }', true],
    ['{ $.eventType = "updatetrail" }', false],
    ['{$.eventType="Update*"}', true],
    ['{ $.eventType = *Trail }', true],
    ['{ $.eventType = "*dat*Tr*" }', true],
    ['{ $.eventType = "*x*" }', false],
    ['{ $.eventType = %Trail% }', true],
    ['{ $.eventType != %^Trail% }', true],
    ['{ $.sourceIPAddress != 123.123.* }', true],
    ['{ $.sourceIPAddress = 111.111.* }', true],
    ['{ $.arrayKey[0] = "value" }', true],
    ['{ $.arrayKey[1] = "value" }', false],
    ['{ $.arrayKey[*] = "another value" }', true],
    ['{ $.arrayKey[5] NOT EXISTS }', true],
    ['{ $.objectList[1].id = 2 }', true],
    ['{ $.objectList[*].id > 1 }', true],
    ['{ $.objectList[*].id > 2 }', false],
    ['{ $.user.* = 1 }', true],
    ['{ $.SomeObject IS NULL }', true],
    ['{ $.missing IS NULL }', false],
    ['{ $.SomeOtherObject NOT EXISTS }', true],
    ['{ $.eventType NOT EXISTS }', false],
    ['{ $.ThisFlag IS TRUE }', true],
    ['{ $.ThatFlag IS FALSE }', true],
    ['{ $.ThatFlag IS TRUE }', false],
    ['{ $.ThisFlag = true }', true],
    ["{ $.['cluster-name'] = c }", true],
    ['{ $[\'cluster-name\'] = "c" }', true],
    ['{ $.cluster-name = "c" }', true],
    ['{ $.status = 404 }', true],
    ['{ $.status = 4* }', true],
    ['{ $.status = 4.04e2 }', true],
    ['{ $.text = 404 }', true],
    ['{ $.status >= 404 && $.status < 500 }', true],
    ['{ $.status < 404 }', false],
    ['{ $.latency > 1e3 }', true],
    ['{ $.missing != "x" }', false],
    ['{ $.user.id = 1 && $.user.email = "John*" }', true],
    ['{ $.user.id = 2 || $.status = 404 }', true],
    ['{ ($.user.id = 2 || $.status = 404) && $.eventType = "Other" }', false],
    ['{ $.user.id = 2 || $.status = 404 && $.eventType = "UpdateTrail" }', true],
    ['{ $.user = 1 }', false],
  ])('%s: %s', (pattern, expected) => {
    expect(parseFilterPattern(pattern).matches(message)).toBe(expected)
  })

  test('what is no JSON matches nothing', () => {
    const { matches } = parseFilterPattern('{ $.a NOT EXISTS }')
    expect(['{"b":1}', 'text', '"text"', '{"b":', '[]', ''].map(matches)).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
    ])
  })

  test('shows what it selected', () => {
    const { extract } = parseFilterPattern('{ $.status = 404 || $.user.email = "x" || $.missing = 1 }')
    expect(extract(message)).toEqual({ '$.status': '404', '$.user.email': 'John.Stiles@example.com' })
  })
})

describe('fields', () => {
  const message = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
  test.each([
    ['[ip, server, user, timestamp, request, status_code, size]', true],
    ['[ip, server, user, timestamp, request, status_code]', false],
    ['[]', false],
    ['[,,,,,,]', true],
    ['[ip=%127\\.0\\.0\\.[1-9]%, server, user, timestamp, request, status_code=4*, bytes]', true],
    ['[ip, server, username, timestamp, request, status_code = 4*, bytes > 1000]', true],
    ['[ip, server, username, timestamp, request, status_code = 4*, bytes > 2000]', false],
    ['[ip, server, username, timestamp, request =*.html*, status_code = 4*]', false],
    ['[ip, server, username, timestamp, request = "*.html*", status_code = 4*, ...]', true],
    ['[..., status_code = 404 || status_code = 503, bytes]', true],
    ['[..., status_code = 200 || status_code = 503, bytes]', false],
    ['[..., size = 1534]', true],
    ['[ip, ...]', true],
    ['[ip != 127.*, ...]', false],
    ['[ip, server, user != "frank" && user != "ann", ...]', false],
    ['[ip, server, user != "bob" && user != "ann", ...]', true],
    ['[..., timestamp = *Oct*, request, status, size]', true],
    ['[..., bytes >= 1534]', true],
    ['[..., bytes != 1534]', false],
  ])('%s: %s', (pattern, expected) => {
    expect(parseFilterPattern(pattern).matches(message)).toBe(expected)
  })

  test('shows every field by its name', () => {
    expect(parseFilterPattern('[ip, server, ..., status_code, size]').extract(message)).toEqual({
      $ip: '127.0.0.1',
      $server: 'Prod',
      $status_code: '404',
      $size: '1534',
    })
  })
})

test.each([
  '{ $.a }',
  '{ $.a = }',
  '{ a = 1 }',
  '{ $.a = 1 ',
  '{ $.a = 1 } x',
  '{ $.a < "x" }',
  '{ ($.a = 1 }',
  '{ $.a = 1 && }',
  '[a',
  '[a, ..., b, ...]',
  '[a <]',
  '"open',
  'a/b',
  'foo-bar',
  '%open',
  '%a(b)%',
  '%some!%',
  '%[%',
  String.raw`%\1%`,
  '{ $.a = %a% || $.a = %b% || $.a = %c% }',
])('%s is refused', (pattern) => {
  expect(() => parseFilterPattern(pattern)).toThrow(PatternError)
})
