import { expect, test } from 'vitest'
import { canBindStorage, openFilesMaxOf } from './fargate-host.ts'

const mounts = (...lines: readonly string[]): string => lines.join('\n')
const root = '/dev/vda1 / ext4 rw,relatime 0 0'

test.each([
  ['overlay2', mounts(root, '/dev/vdb /var/lib xfs rw,attr2,prjquota 0 0'), true],
  ['overlay2', mounts(root, '/dev/vdb /var/lib xfs rw,pquota 0 0'), true],
  ['overlay2', mounts(root, '/dev/vdb /var/lib xfs rw,noquota 0 0'), false],
  ['overlay2', mounts(root, '/dev/vdb /var/lib/doc xfs rw,prjquota 0 0'), false],
  ['overlay2', mounts(root), false],
  ['vfs', mounts(root, '/dev/vdb /var/lib xfs rw,prjquota 0 0'), false],
])('Docker bounds what a container writes with %s on %j: %s', (storageDriver, given, expected) => {
  expect(canBindStorage({ storageDriver, rootDirectory: '/var/lib/docker' }, given)).toBe(expected)
})

test.each([
  ['Max open files            1024                 4096                 files', 4096],
  ['Max open files            1024                 1048576              files', 65_535],
  ['Max open files            unlimited            unlimited            files', 65_535],
])('%s: %i', (line, expected) => {
  expect(openFilesMaxOf(`Limit  Soft Limit  Hard Limit  Units\n${line}\n`)).toBe(expected)
})
