import { expect, test } from 'vitest'
import { metadata } from './metadata-tree.ts'
import { exampleInstance } from './testing.ts'

const now = Date.UTC(2026, 0, 1)
const at = (path: string): string | undefined => metadata(exampleInstance, path, now)

test.each([
  ['meta-data/instance-id', 'i-00000000000000001'],
  ['meta-data/ami-id', 'ami-0be7400000000000a'],
  ['meta-data/instance-type', 't3.micro'],
  ['meta-data/local-ipv4', '172.31.5.7'],
  ['meta-data/placement/availability-zone', 'us-east-1a'],
  ['meta-data/placement/availability-zone-id', 'use1-az1'],
  ['meta-data/placement/region', 'us-east-1'],
  ['meta-data/network/interfaces/macs/', '0a:ff:ac:1f:05:07/'],
  ['meta-data/network/interfaces/macs/0a:ff:ac:1f:05:07/subnet-id', 'subnet-1'],
  ['meta-data/network/interfaces/macs/0a:ff:ac:1f:05:07/vpc-id', 'vpc-1'],
  ['meta-data/iam/security-credentials/', 'ecsInstanceRole'],
  ['meta-data/public-keys/', '0=demo'],
  ['user-data', '#!/bin/sh\n'],
])('has %s', (path, expected) => {
  expect(at(path)).toBe(expected)
})

test.each(['meta-data/outpost-arn', 'meta-data/instance-id/more', 'nothing', 'meta-data/constructor'])(
  'has no %s',
  (path) => {
    expect(at(path)).toBeUndefined()
  },
)

test('lists a directory with a slash behind each directory in it', () => {
  expect(at('')).toBe('dynamic/\nmeta-data/\nuser-data')
  expect(at('meta-data/')?.split('\n')).toContain('network/')
})

test('hands out credentials that are good for hours', () => {
  expect(JSON.parse(at('meta-data/iam/security-credentials/ecsInstanceRole') ?? '')).toEqual({
    Code: 'Success',
    LastUpdated: '2026-01-01T00:00:00Z',
    Type: 'AWS-HMAC',
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'secret',
    Token: 'token',
    Expiration: '2026-01-01T06:00:00Z',
  })
})

test('describes the instance in its identity document', () => {
  expect(JSON.parse(at('dynamic/instance-identity/document') ?? '')).toMatchObject({
    accountId: '000000000000',
    instanceId: 'i-00000000000000001',
    instanceType: 't3.micro',
    region: 'us-east-1',
    availabilityZone: 'us-east-1a',
    privateIp: '172.31.5.7',
    version: '2017-09-30',
  })
})
