import { expect, test } from 'vitest'
import { cgroupMounts } from './instance-provider-cgroup.ts'
import { gatewayCandidates } from './instance-provider-network.ts'

test('finds the hierarchies of version 1, beside which version 2 may be mounted without controllers', () => {
  const mounts = [
    'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0',
    'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
    'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
  ].join('\n')
  expect(cgroupMounts(mounts)).toEqual({
    version: 1,
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    memory: '/sys/fs/cgroup/memory',
    hierarchies: ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified'],
  })
})

test('finds the one hierarchy of version 2', () => {
  expect(cgroupMounts('proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).toMatchObject({
    version: 2,
    memory: '/sys/fs/cgroup',
  })
})

test.each(['', 'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0'])(
  'cannot do without cpu and memory: %j',
  (mounts) => {
    expect(cgroupMounts(mounts)).toBeUndefined()
  },
)

test('gives two installations different gateways', () => {
  expect(gatewayCandidates('98c608bf')[0]).toBe('10.213.152.198')
  expect(new Set(gatewayCandidates('98c608bf')).size).toBe(16)
})
