import { expect, test } from 'vitest'
import { SystemdSlices } from './cgroup-systemd.ts'

/** What was run, the arguments of `busctl call` without those that say whom it calls. */
function recorded(answers: Readonly<Record<string, string>> = {}) {
  const calls: string[] = []
  const run = (program: string, words: readonly string[]): Promise<string> => {
    const said = program === 'busctl' ? words.slice(4) : words
    calls.push([program, ...said].join(' '))
    const failure = answers[said[0] ?? '']
    return failure === undefined ? Promise.resolve('') : Promise.reject(new Error(failure))
  }
  return { calls, run }
}
const accounting = 'CPUAccounting b true MemoryAccounting b true TasksAccounting b true'

test.each([
  [1, 'CPUShares t 1024', 'MemoryLimit t 4096'],
  [2, 'CPUWeight t 39', 'MemoryMax t 4096'],
] as const)('version %i: a slice in ecstasks.slice', async (version, cpu, memory) => {
  const { calls, run } = recorded()
  const slices = new SystemdSlices(run, version)
  expect(slices.parentOf('abc')).toBe('ecstasks-abc.slice')
  await slices.make('abc', { cpuQuotaUs: 25_000, memoryBytes: 4096, pidsMax: 9 })
  await slices.make('abc', { cpuShares: 1024 })
  const start = 'busctl StartTransientUnit ssa(sv)a(sa(sv)) ecstasks-abc.slice replace'
  expect(calls).toEqual([
    `${start} 7 Description s Amazon ECS task abc ${accounting} CPUQuotaPerSecUSec t 250000 ${memory} TasksMax t 9 0`,
    `${start} 5 Description s Amazon ECS task abc ${accounting} ${cpu} 0`,
  ])
})

test('a slice that is there gets its limits anew', async () => {
  const failure = 'Call failed: Unit ecstasks-abc.slice was already loaded or has a fragment file.'
  const { calls, run } = recorded({ StartTransientUnit: failure })
  await new SystemdSlices(run, 2).make('abc', { cpuQuotaUs: 25_000 })
  expect(calls[1]).toBe(
    `busctl SetUnitProperties sba(sv) ecstasks-abc.slice true 4 ${accounting} CPUQuotaPerSecUSec t 250000`,
  )
})

test('removing a slice that is gone is fine, and one that cannot be stopped is told', async () => {
  const removing = (failure: string): Promise<void> =>
    new SystemdSlices(recorded({ stop: failure }).run, 2).remove('abc')
  await removing('Failed to stop ecstasks-abc.slice: Unit ecstasks-abc.slice not loaded.')
  await expect(removing('Access denied')).rejects.toThrow('Access denied')
  const { calls, run } = recorded()
  await new SystemdSlices(run, 2).remove('abc')
  expect(calls).toEqual(['systemctl stop ecstasks-abc.slice'])
})

test('what systemd refuses is told', async () => {
  const { run } = recorded({ StartTransientUnit: 'Access denied' })
  await expect(new SystemdSlices(run, 2).make('abc', {})).rejects.toThrow('Access denied')
})
