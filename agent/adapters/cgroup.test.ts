import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CgroupFiles, cgroupHierarchies } from './cgroup.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-cgroup-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const at = (...names: readonly string[]): string => join(root, ...names)
const read = (...names: readonly string[]): string => readFileSync(at(...names), 'utf8')
const version1 = () => [
  { path: at('cpu'), controllers: ['rw', 'cpu', 'cpuacct'] },
  { path: at('memory'), controllers: ['rw', 'memory'] },
  { path: at('pids'), controllers: ['rw', 'pids'] },
  { path: at('freezer'), controllers: ['rw', 'freezer'] },
]

test.each([
  [
    'version 1',
    `cgroup /c/cpu cgroup rw,cpu,cpuacct 0 0\ncgroup /c/memory cgroup rw,memory 0 0\ncgroup2 /c/unified cgroup2 rw 0 0`,
    ['/c/cpu', '/c/memory'],
  ],
  ['version 2', 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0', ['/sys/fs/cgroup']],
  ['version 1 without memory', 'cgroup /c/cpu cgroup rw,cpu 0 0\ncgroup2 /c/unified cgroup2 rw 0 0', []],
  ['nothing', 'tmpfs /tmp tmpfs rw 0 0', []],
])('finds the hierarchies of %s', (_, mounts, paths) => {
  expect(cgroupHierarchies(mounts).map(({ path }) => path)).toEqual(paths)
})

test('version 1: a quota, a limit of memory and one of processes, under the parent given', async () => {
  const cgroups = new CgroupFiles(version1(), '/berth-0/i-1/containers')
  const group = '/berth-0/i-1/containers/ecs/abc'
  expect(cgroups.parentOf('abc')).toBe(group)
  const limits = { cpuQuotaUs: 25_000, memoryBytes: 1024, pidsMax: 7 }
  await cgroups.make('abc', limits)
  await cgroups.make('abc', limits)
  expect(read('cpu', group, 'cpu.cfs_period_us')).toBe('100000')
  expect(read('cpu', group, 'cpu.cfs_quota_us')).toBe('25000')
  expect(read('memory', group, 'memory.limit_in_bytes')).toBe('1024')
  expect(read('pids', group, 'pids.max')).toBe('7')
  expect(existsSync(at('freezer', group))).toBe(false)
})

test('version 1: a task without a size has shares and no limits', async () => {
  const cgroups = new CgroupFiles(version1())
  await cgroups.make('abc', { cpuShares: 300 })
  expect(read('cpu', 'ecs', 'abc', 'cpu.shares')).toBe('300')
  expect(existsSync(at('memory', 'ecs'))).toBe(false)
})

test('version 2: groups above hand their controllers down, and the limits are written', async () => {
  const controllers = {
    'cgroup.controllers': 'cpuset cpu io memory hugetlb pids\n',
    'cgroup.subtree_control': 'cpu\n',
  }
  for (const path of ['', 'ecs', 'ecs/abc']) {
    mkdirSync(at(path), { recursive: true })
    for (const [file, text] of Object.entries(controllers)) writeFileSync(at(path, file), text)
  }
  const cgroups = new CgroupFiles([{ path: root, controllers: ['unified'] }])
  await cgroups.make('abc', { cpuQuotaUs: 25_000, memoryBytes: 1024 })
  for (const path of ['', 'ecs', 'ecs/abc'])
    expect(read(path, 'cgroup.subtree_control')).toBe('+cpuset +io +memory +pids')
  expect(read('ecs/abc', 'cpu.max')).toBe('25000 100000')
  expect(read('ecs/abc', 'memory.max')).toBe('1024')
  await cgroups.make('abc', { cpuShares: 1024 })
  expect(read('ecs/abc', 'cpu.weight')).toBe('39')
})

test('removes groups of containers with the task, in every hierarchy, and is content when they are gone', async () => {
  const cgroups = new CgroupFiles(version1())
  for (const name of ['cpu', 'freezer']) mkdirSync(at(name, 'ecs', 'abc', 'container'), { recursive: true })
  mkdirSync(at('cpu', 'ecs', 'other'), { recursive: true })
  await cgroups.remove('abc')
  await cgroups.remove('abc')
  expect(['cpu/ecs/abc', 'freezer/ecs/abc', 'cpu/ecs/other'].map((path) => existsSync(at(path)))).toEqual([
    false,
    false,
    true,
  ])
})
