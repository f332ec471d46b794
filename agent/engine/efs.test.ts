import { expect, test } from 'vitest'
import { type EfsServers, efsMount, hasEfs, noEfsServers, parseEfsServers } from './efs.ts'

const recommended = 'nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2'
const own: EfsServers = { byId: { 'fs-1': '10.0.0.5:/export', 'fsap-2': 'nfs.local' }, amazon: false }
const amazon: EfsServers = { byId: {}, amazon: true }

test.each([
  ['the root of a server of ours', { fileSystemId: 'fs-1', rootDirectory: '/' }, '10.0.0.5', ':/export'],
  ['a directory in it', { fileSystemId: 'fs-1', rootDirectory: '/a' }, '10.0.0.5', ':/export/a'],
  [
    'an access point with a server of its own',
    { fileSystemId: 'fs-9', rootDirectory: '/', authorizationConfig: { accessPointId: 'fsap-2' } },
    'nfs.local',
    ':/',
  ],
  [
    'a server of ours without the encryption asked for',
    { fileSystemId: 'fs-1', transitEncryption: 'ENABLED' as const },
    '10.0.0.5',
    ':/export',
  ],
])('mounts %s', (_, volume, server, device) => {
  expect(efsMount(volume, own, 'eu-west-1')).toEqual({
    options: { type: 'nfs', device, o: `addr=${server},${recommended}` },
  })
})

test.each([
  ['eu-west-1', 'fs-1.efs.eu-west-1.amazonaws.com'],
  ['cn-north-1', 'fs-1.efs.cn-north-1.amazonaws.com.cn'],
])("mounts Amazon's own in %s", (region, host) => {
  expect(efsMount({ fileSystemId: 'fs-1', rootDirectory: '/a' }, amazon, region)).toEqual({
    options: { type: 'nfs', device: ':/a', o: `addr=${host},${recommended},noresvport` },
  })
})

test.each([
  ['a file system nobody named', { fileSystemId: 'fs-2' }, own, /^Failed to resolve "fs-2\.efs\.eu-west-1/],
  [
    'an access point of a file system that is named',
    { fileSystemId: 'fs-1', authorizationConfig: { accessPointId: 'fsap-1' } },
    own,
    /names a server for fsap-1$/,
  ],
  ['a name that every object has', { fileSystemId: 'constructor' }, own, /^Failed to resolve/],
  ['TLS to Amazon', { fileSystemId: 'fs-1', transitEncryption: 'ENABLED' as const }, amazon, /encryption/],
])('refuses %s', (_, volume, servers, fault) => {
  expect(efsMount(volume, servers, 'eu-west-1')).toEqual({ fault: expect.stringMatching(fault) as string })
})

test('reads the setting, and says which part of it means nothing', () => {
  expect(parseEfsServers('fs-1=10.0.0.5:/export, fsap-2=nfs.local')).toEqual(own)
  expect(parseEfsServers('amazon')).toEqual(amazon)
  expect(parseEfsServers('fs-1=a, nonsense')).toEqual({ strange: 'nonsense' })
  expect([own, amazon, noEfsServers].map(hasEfs)).toEqual([true, true, false])
})
