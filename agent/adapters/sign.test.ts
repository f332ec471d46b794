import { expect, test } from 'vitest'
import { verifySignature } from '@berth/wire/sigv4.ts'
import { sign } from './sign.ts'

const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' }
const nowMs = Date.UTC(2026, 10, 22, 12)
const scope = { region: 'eu-west-1', service: 'ecs', nowMs }
const lookup = () => ({ secretAccessKey: 'secret', sessionToken: 'token' })

test('a call is signed as the control plane checks it', () => {
  const url = new URL('http://127.0.0.1:4566/')
  const body = '{"cluster":"proof"}'
  const headers = sign(
    { method: 'POST', url, headers: { 'content-type': 'application/x-amz-json-1.1' }, body },
    credentials,
    scope,
  )
  const request = { method: 'POST', path: '/', rawQuery: '', headers, body: Buffer.from(body) }
  expect(verifySignature(request, lookup, nowMs)).toMatchObject({
    accessKeyId: 'AKIAEXAMPLE',
    service: 'ecs',
  })
  expect(() => verifySignature({ ...request, body: Buffer.from('{}') }, lookup, nowMs)).toThrow(
    /does not match/,
  )
})

test('an upgrade with spaces and colons in its query is signed as the control plane checks it', () => {
  const url = new URL('http://127.0.0.1:4566/acs/ws')
  url.search = new URLSearchParams({
    clusterArn: 'arn:aws:ecs:x',
    dockerVersion: 'DockerVersion: 20.10+dfsg (a)*',
  }).toString()
  expect(url.search).toContain('DockerVersion%3A+20.10%2Bdfsg')
  const headers = sign({ method: 'GET', url, headers: {}, body: '' }, credentials, scope)
  const request = {
    method: 'GET',
    path: url.pathname,
    rawQuery: url.search.slice(1),
    headers,
    body: Buffer.alloc(0),
  }
  expect(verifySignature(request, lookup, nowMs).region).toBe('eu-west-1')
})
