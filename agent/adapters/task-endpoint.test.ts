import { expect, test } from 'vitest'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { newTaskRecord } from '#engine/task-record.ts'
import { fakeContainer, fakeTask } from '#runtime/fake-control-plane.ts'
import { addressRules } from './metadata-address.ts'
import { taskEndpoint, taskEndpointResource } from './task-endpoint.ts'

test.each([
  ['http://10.213.0.1:4566', undefined, { url: 'http://10.213.0.1:4566' }],
  ['control.test:4566', undefined, { url: 'https://control.test:4566' }],
  ['http://127.0.0.1:4566', undefined, { url: 'http://169.254.170.2:4566', forwardedPort: 4566 }],
  ['http://localhost:4566/', undefined, { url: 'http://169.254.170.2:4566', forwardedPort: 4566 }],
  ['https://localhost:4566', undefined, undefined],
  ['http://localhost', undefined, undefined],
  [undefined, undefined, undefined],
  ['http://10.213.0.1:4566', 'off', undefined],
  [undefined, 'http://berth.test', { url: 'http://berth.test' }],
])(
  'with the control plane at %s and BERTH_TASK_ENDPOINT_URL %s containers are told %j',
  (backend, own, told) => {
    expect(taskEndpoint({ ECS_BACKEND_HOST: backend, BERTH_TASK_ENDPOINT_URL: own })).toEqual(told)
  },
)

test('anything that is no URL is refused', () => {
  expect(() => taskEndpoint({ BERTH_TASK_ENDPOINT_URL: 'of' })).toThrow('must be a URL or off, not of')
})

test('a container whose definition says something of endpoints is told nothing', async () => {
  const containers = [
    fakeContainer('plain'),
    fakeContainer('own', { environment: { AWS_ENDPOINT_URL: '' } }),
    fakeContainer('ignoring', { environment: { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' } }),
  ]
  const record = newTaskRecord(fakeTask('one', containers), idsFrom(prng(1)), 0)
  expect(await taskEndpointResource({ url: 'http://berth' }).provide(record)).toEqual({
    plain: { environment: { AWS_ENDPOINT_URL: 'http://berth' } },
  })
})

test('the address leads to the agent and the control plane; from outside nothing else is let through to the loopback', () => {
  const rules = addressRules({
    metadataPort: 51679,
    forwardedPort: 4566,
    introspectionPort: 51678,
    filtersLoopback: true,
  })
  expect(rules.map(({ table, words }) => `${table} ${words.join(' ')}`)).toEqual([
    'nat PREROUTING -p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679',
    'nat OUTPUT -p tcp -d 169.254.170.2 --dport 80 -j REDIRECT --to-ports 51679',
    'nat PREROUTING -p tcp -d 169.254.170.2 --dport 4566 -j DNAT --to-destination 127.0.0.1:4566',
    'nat OUTPUT -p tcp -d 169.254.170.2 --dport 4566 -j REDIRECT --to-ports 4566',
    'filter INPUT -p tcp --dport 51678 -i docker0 -j ACCEPT',
    'filter INPUT -p tcp --dport 51678 ! -i lo -j DROP',
    'filter INPUT -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
  ])
})
