import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestEndpoint, startTestEndpoint } from './aws-endpoint-testing.ts'

let dev: TestEndpoint
beforeAll(async () => {
  dev = await startTestEndpoint(true)
})
afterAll(() => dev.close())
beforeEach(() => {
  dev.seen.length = 0
})

const authorization =
  'AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=00'
const target = (operation: string) => `AmazonEC2ContainerServiceV20141113.${operation}`

/** A request as raw as a client can make it. */
const post = async (body: BodyInit | null, headers: Record<string, string> = {}) => {
  const response = await fetch(dev.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target('RunTask'),
      'x-amz-date': '20260102T030405Z',
      authorization,
      ...headers,
    },
    body,
    duplex: 'half',
  } as RequestInit)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}
const jsonOf = (text: string): unknown => JSON.parse(text)

test('refuses a request without a signature', async () => {
  const { status, text } = await post('{}', { authorization: '' })
  const unsigned = await fetch(dev.url, {
    method: 'POST',
    headers: { 'x-amz-target': target('RunTask') },
    body: '{}',
  })
  expect([status, jsonOf(text)]).toEqual([
    403,
    expect.objectContaining({ __type: 'IncompleteSignatureException' }),
  ])
  expect([unsigned.status, await unsigned.json()]).toEqual([
    403,
    { __type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
  ])
})

test('drops members that the model does not know and takes null for absent', async () => {
  await post('{"taskDefinition":"a","nonsense":{"a":[1]},"cluster":null,"tags":[null,{"key":"k","other":1}]}')
  expect(dev.seen[0]?.input).toEqual({ taskDefinition: 'a', tags: [{ key: 'k' }] })
})

test.each([
  ['{"taskDefinition":1}', 'SerializationException', 'NUMBER_VALUE cannot be converted to String'],
  [
    '{"taskDefinition":"a","count":"1"}',
    'SerializationException',
    'STRING_VALUE cannot be converted to Integer',
  ],
  [
    '{"taskDefinition":"a","count":true}',
    'SerializationException',
    'TRUE_VALUE cannot be converted to Integer',
  ],
  ['{"taskDefinition":["a"]}', 'SerializationException', 'Start of list found where not expected'],
  ['{"taskDefinition":{}}', 'SerializationException', 'Start of structure or map found where not expected.'],
  [
    '{"taskDefinition":"a","tags":{}}',
    'SerializationException',
    'Start of structure or map found where not expected.',
  ],
  ['{"taskDefinition":"a","tags":"b"}', 'SerializationException', 'Unexpected field type'],
  [
    '{"taskDefinition":"a","overrides":[]}',
    'SerializationException',
    'Unrecognized collection type class TaskOverride',
  ],
  ['[]', 'SerializationException', 'Unrecognized collection type class RunTaskRequest'],
  ['{"taskDefinition":', 'SerializationException', 'The request body is not valid JSON.'],
  [
    '{}',
    'InvalidParameterException',
    "1 validation error detected: Value null at 'taskDefinition' failed to satisfy constraint: Member must not be null",
  ],
  [
    '{"capacityProviderStrategy":[{"capacityProvider":"a"},{}]}',
    'InvalidParameterException',
    "2 validation errors detected: Value null at 'taskDefinition' failed to satisfy constraint: Member must not be null; Value null at 'capacityProviderStrategy.2.member.capacityProvider' failed to satisfy constraint: Member must not be null",
  ],
])('refuses the body %s', async (body, __type, message) => {
  const { status, headers, text } = await post(body)
  expect([status, jsonOf(text)]).toEqual([400, { __type, message }])
  expect(headers.get('x-amzn-errortype')).toBe(__type)
  expect(headers.get('x-amzn-requestid')).toMatch(/^[\da-f-]{36}$/)
  expect(dev.seen).toEqual([])
})

test.each([
  [target('RunAway'), 'Unknown operation RunAway'],
  [target('constructor'), 'Unknown operation constructor'],
  ['DynamoDB_20120810.ListTables', 'Berth has no service with the target DynamoDB_20120810.ListTables'],
])('answers the unknown operation %s', async (name, message) => {
  const { status, text } = await post('{}', { 'x-amz-target': name })
  expect([status, jsonOf(text)]).toEqual([400, { __type: 'UnknownOperationException', message }])
})

const wholeBody = '{"taskDefinition":"a"}'
const chunked = (text: string) =>
  `5;chunk-signature=ab\r\n${text.slice(0, 5)}\r\n${(text.length - 5).toString(16)}\r\n${text.slice(5)}\r\n0;chunk-signature=cd\r\nx-amz-trailer:1\r\n\r\n`
test.each<[string, () => BodyInit, Record<string, string>]>([
  ['gzip', () => new Uint8Array(gzipSync(wholeBody)), { 'content-encoding': 'gzip' }],
  ['aws-chunked', () => chunked(wholeBody), { 'content-encoding': 'aws-chunked' }],
  [
    'a streaming payload',
    () => chunked(wholeBody),
    { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
  ],
  ['no content-length', () => new Blob([wholeBody]).stream(), {}],
])('reads a body with %s', async (_, body, headers) => {
  expect((await post(body(), headers)).status).toBe(200)
  expect(dev.seen[0]?.input).toEqual({ taskDefinition: 'a' })
})

test.each<[number, string, string, BodyInit]>([
  [400, 'SerializationException', 'gzip', 'not gzip'],
  [415, 'SerializationException', 'br', 'x'],
  [400, 'IncompleteBody', 'aws-chunked', '5\r\nab'],
  [413, 'RequestEntityTooLargeException', 'gzip', new Uint8Array(gzipSync(Buffer.alloc(11 * 1024 * 1024)))],
])('answers %i %s to a body that is not %s', async (status, __type, coding, body) => {
  const answer = await post(body, { 'content-encoding': coding })
  expect([answer.status, jsonOf(answer.text)]).toEqual([status, expect.objectContaining({ __type })])
})

test('takes the larger bodies of image layer parts', async () => {
  const part = JSON.stringify({ registryId: 'x'.repeat(20 * 1024 * 1024) })
  const headers = { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken' }
  expect((await post(part, headers)).status).toBe(200)
})

test('stops reading a body that is too large', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sending = httpRequest(dev.url, { method: 'POST', headers: { 'x-amz-target': target('RunTask') } })
    sending.on('response', (response) => resolve(response.statusCode))
    sending.on('error', reject)
    sending.write(Buffer.alloc(10 * 1024 * 1024 + 1))
  })
  expect(status).toBe(413)
})

const postForm = async (form: string, contentType = 'application/x-www-form-urlencoded; charset=utf-8') => {
  const headers = {
    'content-type': contentType,
    'x-amz-date': '20260102T030405Z',
    authorization: authorization.replace('/ecs/', '/ec2/'),
  }
  const response = await fetch(dev.url, { method: 'POST', body: form, headers })
  return { status: response.status, text: await response.text() }
}

test('says that it did what EC2 has no output for', async () => {
  const { status, text } = await postForm('Action=DeleteVpc&Version=2016-11-15&VpcId=vpc-1')
  expect(status).toBe(200)
  expect(text).toMatch(
    /^<\?xml [^>]+\?>\n<DeleteVpcResponse xmlns="http:\/\/ec2.amazonaws.com\/doc\/2016-11-15\/"><requestId>[^<]+<\/requestId><return>true<\/return><\/DeleteVpcResponse>$/,
  )
})

test.each([
  ['Action=DeleteVpc', 'MissingParameter', 'The request must contain the parameter VpcId'],
  ['Action=No<thing', 'InvalidAction', 'The action No&lt;thing is not valid for this web service.'],
  ['', 'InvalidAction', 'The action  is not valid for this web service.'],
  [
    'Action=DescribeInstances&MaxResults=many',
    'InvalidParameterValue',
    'Value (many) for parameter MaxResults is invalid. Expected integer.',
  ],
  [
    'Action=AcceptAddressTransfer',
    'UnsupportedOperation',
    'Berth does not support ec2:AcceptAddressTransfer yet. See docs/compatibility.md for the operations it has.',
  ],
])('answers the EC2 form %s with an error', async (form, code, message) => {
  const { status, text } = await postForm(form)
  expect(status).toBe(400)
  expect(text).toContain(
    `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>`,
  )
})
