import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { boltBucket } from './bolt.ts'
import { boltFile } from './bolt-testing.ts'
import { identityIn, officialAgentIdentity } from './official-agent.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-official-'))
afterAll(() => rmSync(directory, { recursive: true }))

const arn = 'arn:aws:ecs:us-east-1:000000000000:container-instance/demo/0123'
/** The keys of its bucket `metadata`; each value is JSON. */
const metadata = {
  'agent-version': '"1.105.1"',
  'availability-zone': '""',
  'cluster-name': '"demo"',
  'container-instance-arn': JSON.stringify(arn),
  'ec2-instance-id': '"i-0123"',
  'task-manifest-seq-num': '"1795406195764"',
}
const identity = {
  schemaVersion: 1,
  cluster: 'demo',
  containerInstanceArn: arn,
  ec2InstanceId: 'i-0123',
  timeline: 1_795_406_195_764,
}

test.each(['inline', 'leaf', 'branch'] as const)(
  'what the official agent noted is read from a %s bucket',
  (shape) => {
    const file = boltFile({ containers: { a: '{}' }, metadata, tasks: {} }, shape)
    expect(Object.fromEntries(boltBucket(file, 'metadata'))).toEqual(metadata)
    expect(identityIn(file)).toEqual(identity)
  },
)

test('an agent that was never registered left nothing to go on with', () => {
  expect(identityIn(boltFile({ metadata: { 'agent-version': '"1.105.1"' } }, 'inline'))).toBeUndefined()
  expect(identityIn(boltFile({}, 'inline'))).toBeUndefined()
})

test('of the two roots the newer one counts, unless it was torn while it was written', () => {
  const file = boltFile({ metadata }, 'leaf')
  expect(identityIn(file)).toEqual(identity)
  // The older page says that there is nothing.
  file[4096 + 16 + 48] = 0xff
  expect(identityIn(file)).toBeUndefined()
})

test('a missing file is no news, and one that cannot be read is told of', async () => {
  const told: string[] = []
  const look = () => officialAgentIdentity(directory, (_, message) => told.push(message))
  expect(await look()).toBeUndefined()
  expect(told).toEqual([])
  for (const broken of [
    Buffer.alloc(0),
    Buffer.alloc(8192),
    boltFile({ metadata }, 'leaf').subarray(0, 9000),
  ]) {
    writeFileSync(join(directory, 'agent.db'), broken)
    expect(await look()).toBeUndefined()
  }
  expect(told).toEqual(Array(3).fill('what the official agent left cannot be read'))
  writeFileSync(join(directory, 'agent.db'), boltFile({ metadata }, 'branch'))
  expect(await look()).toEqual(identity)
})
