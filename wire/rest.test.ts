import { expect, test } from 'vitest'
import { findRestOperation, httpRoute } from './rest.ts'

const operation = (name: string, method: string, uri: string) => ({
  name,
  http: httpRoute([method, uri, 200]),
})
const operations = [
  operation('List', 'GET', '/things'),
  operation('Get', 'GET', '/things/{Name}'),
  operation('Special', 'GET', '/things/special'),
  operation('Versioned', 'GET', '/things/{Name}?version'),
  operation('Put', 'PUT', '/things/{Name}'),
  operation('File', 'GET', '/files/{Path+}'),
  operation('FileInfo', 'GET', '/files/{Path+}/info'),
]

test.each([
  ['GET', '/things', '', 'List'],
  ['GET', '/things/a', '', 'Get'],
  ['GET', '/things/a%2Fb', '', 'Get'],
  ['GET', '/things/special', '', 'Special'],
  ['GET', '/things/a', 'version=', 'Versioned'],
  ['PUT', '/things/a', '', 'Put'],
  ['GET', '/files/a/b/c', '', 'File'],
  ['GET', '/files/a/b/info', '', 'FileInfo'],
  ['DELETE', '/things/a', '', undefined],
  ['GET', '/things/', '', undefined],
  ['GET', '/things/a/b', '', undefined],
  ['GET', '/files/', '', undefined],
  ['GET', '/', '', undefined],
])('%s %s?%s means %s', (method, path, query, expected) => {
  const form = new URLSearchParams(query)
  expect(findRestOperation(operations, { method, path, form })?.name).toBe(expected)
})
