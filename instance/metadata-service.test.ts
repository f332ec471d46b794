import type { AddressInfo } from 'node:net'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { afterEach, expect, test } from 'vitest'
import type { InstanceDescription } from './description.ts'
import { metadataService } from './metadata-service.ts'
import { exampleInstance } from './testing.ts'

let now = Date.UTC(2026, 0, 1)
let close = (): unknown => undefined
afterEach(() => close())

const serve = async (instance: InstanceDescription = exampleInstance): Promise<typeof ask> => {
  const server = metadataService(instance, { now: () => now, at: () => () => undefined }, idsFrom(prng(1)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => server.close()
  const { port } = server.address() as AddressInfo
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, init)
  return ask
}
const tokenFor = async (ask: Awaited<ReturnType<typeof serve>>, seconds: number): Promise<string> => {
  const ttl = { 'X-aws-ec2-metadata-token-ttl-seconds': String(seconds) }
  return (await ask('/latest/api/token', { method: 'PUT', headers: ttl })).text()
}

test('serves without a token unless tokens are required', async () => {
  const ask = await serve()
  const response = await ask('/latest/meta-data/instance-id')
  expect([response.status, await response.text()]).toEqual([200, exampleInstance.instanceId])
  expect((await ask('/latest/meta-data/nothing')).status).toBe(404)
})

test('serves whoever shows a token that it gave, until it is too old', async () => {
  const ask = await serve({ ...exampleInstance, httpTokens: 'required' })
  expect((await ask('/latest/meta-data/')).status).toBe(401)
  const token = await tokenFor(ask, 60)
  const headers = { 'X-aws-ec2-metadata-token': token }
  expect((await ask('/latest/meta-data/', { headers })).status).toBe(200)
  expect(
    (await ask('/latest/meta-data/', { headers: { 'X-aws-ec2-metadata-token': 'made-up' } })).status,
  ).toBe(401)
  now += 61_000
  expect((await ask('/latest/meta-data/', { headers })).status).toBe(401)
})

test.each([
  {},
  { 'X-aws-ec2-metadata-token-ttl-seconds': '0' },
  { 'X-aws-ec2-metadata-token-ttl-seconds': '21601' },
])('gives no token for %j', async (headers) => {
  const ask = await serve()
  expect((await ask('/latest/api/token', { method: 'PUT', headers: headers as HeadersInit })).status).toBe(
    400,
  )
})

test('gives no token to a request that came through a proxy', async () => {
  const ask = await serve()
  const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': '60', 'X-Forwarded-For': '10.0.0.1' }
  expect((await ask('/latest/api/token', { method: 'PUT', headers })).status).toBe(403)
})
