import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { encodeBatch } from './block.ts'
import { DiskLogStore, type DiskLogStoreOptions } from './disk-log-store.ts'
import type { LogStore, ReadQuery, StoredEvent } from './log-store.ts'
import { MemoryLogStore } from './memory-log-store.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-log-store-'))
afterAll(() => rmSync(root, { recursive: true }))
let directories = 0
const directory = (): string => join(root, String(directories++))
/** So small that a few batches make a segment. */
const options = { bytesMax: Infinity, logBytesMax: 700 }
const patient = { budgetMs: Infinity, bytesMax: Infinity }

const group = fc.constantFrom('g1', 'g2')
const stream = fc.constantFrom('a', 'ab', 'c')
const word = fc.constantFrom('error', 'warn x', '{"a":1}', 'é', '', 'y'.repeat(300))
const time = fc.integer({ min: 0, max: 40 })

type Act =
  | { readonly kind: 'create' | 'delete' | 'deleteGroup'; readonly group: string; readonly stream: string }
  | {
      readonly kind: 'append'
      readonly group: string
      readonly stream: string
      readonly times: readonly number[]
      readonly word: string
    }
  | { readonly kind: 'retain'; readonly notBefore: number; readonly groups: readonly string[] }
  | { readonly kind: 'checkpoint' | 'restart' }

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('create' as const), group, stream }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'deleteGroup' as const), group, stream }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      group,
      stream,
      times: fc.array(time, { minLength: 1, maxLength: 6 }).map((times) => times.toSorted((a, b) => a - b)),
      word,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      notBefore: fc.integer({ min: 0, max: 20 }),
      groups: fc.constantFrom(['g1', 'g2'], ['g1']),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('checkpoint' as const, 'restart' as const) }) },
)

/** Events and streams without their places in the order of all, which only their own store knows. */
async function shown(store: LogStore, query: ReadQuery): Promise<unknown> {
  const pages: unknown[] = []
  for (const id of ['g1', 'g2']) {
    let after: ReadQuery['after'] = undefined
    do {
      const { events, resume } = await store.read(id, { ...query, ...(after && { after }) })
      pages.push(...events.map(({ timestamp, message, streamName }) => [id, timestamp, streamName, message]))
      after = resume
    } while (after)
    const streams = await store.listStreams(id, { orderBy: 'name', descending: false, limit: 10 })
    pages.push(streams.map(({ name, firstEventAt, lastEventAt }) => [name, firstEventAt, lastEventAt]))
  }
  return pages
}

const everything: ReadQuery = { from: 0, until: 100, descending: false, limit: 1000, ...patient }
const query: fc.Arbitrary<ReadQuery> = fc.record(
  {
    from: fc.integer({ min: 0, max: 20 }),
    until: fc.integer({ min: 10, max: 50 }),
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 7 }),
    bytesMax: fc.constantFrom(Infinity, 400),
    budgetMs: fc.constantFrom(Infinity, 0),
    streams: fc.constantFrom({ names: ['a'] }, { names: ['c', 'a'] }, { prefix: 'a' }),
    pattern: fc.constantFrom('error', 'warn -x', '?error ?warn', '{ $.a = 1 }', '%r+%', 'é', 'r'),
  },
  { requiredKeys: ['from', 'until', 'descending', 'limit', 'bytesMax', 'budgetMs'] },
)

/** Does it to both stores, and returns the store on the disk that goes on. */
async function perform(
  act: Act,
  model: LogStore,
  disk: DiskLogStore,
  path: string,
  opened: DiskLogStoreOptions = options,
): Promise<DiskLogStore> {
  const both = async <T>(call: (store: LogStore) => Promise<T>): Promise<void> => {
    expect(await call(disk)).toEqual(await call(model))
  }
  switch (act.kind) {
    case 'create':
      await both((store) => store.createStream(act.group, act.stream, 1))
      break
    case 'delete':
      await both((store) => store.deleteStream(act.group, act.stream))
      break
    case 'deleteGroup':
      await both((store) => store.deleteGroup(act.group))
      break
    case 'append': {
      const events = act.times.map((timestamp) => ({ timestamp, message: `${timestamp} ${act.word}` }))
      await both((store) => store.append(act.group, act.stream, encodeBatch(events, 50)))
      break
    }
    case 'retain':
      await both((store) =>
        store.retain(
          act.groups.map((id) => ({ id, notBefore: act.notBefore })),
          2,
        ),
      )
      break
    case 'checkpoint':
      await disk.checkpoint()
      break
    case 'restart':
      await disk.close()
      return DiskLogStore.open(path, opened)
  }
  return disk
}

/** Retention keeps a block of which one event is young enough; readers give it the time from which events count. */
const from = (acts: readonly Act[]): number =>
  acts.reduce((most, each) => (each.kind === 'retain' ? Math.max(most, each.notBefore) : most), 0)

test('a store on the disk answers like one in memory, whatever is done to both', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 40 }),
      fc.array(query, { minLength: 1, maxLength: 3 }),
      async (acts, queries) => {
        const path = directory()
        const model = new MemoryLogStore()
        let disk = await DiskLogStore.open(path, options)
        for (const each of acts) disk = await perform(each, model, disk, path)
        const seen = async (store: LogStore, asked: ReadQuery): Promise<unknown> => {
          const answer = (await shown(store, asked)) as unknown[]
          // The times of streams are of what is kept, which may be a little more than what counts.
          return from(acts) === 0 ? answer : answer.filter((row) => Array.isArray(row) && row.length === 4)
        }
        for (const asked of [everything, ...queries]) {
          const counted = { ...asked, from: Math.max(asked.from, from(acts)) }
          expect(await seen(disk, counted)).toEqual(await seen(model, counted))
        }
        await disk.close()
      },
    ),
    { numRuns: 60 },
  )
})

test('wherever the machine stops, what was acknowledged is there, whole and once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), fc.nat(), async (acts, cut) => {
      const path = directory()
      const model = new MemoryLogStore()
      let disk = await DiskLogStore.open(path, { bytesMax: Infinity })
      for (const each of acts.filter(({ kind }) => kind !== 'retain'))
        disk = await perform(each, model, disk, path, { bytesMax: Infinity })
      const acknowledged = await shown(disk, everything)
      const [log = ''] = readdirSync(path).filter((name) => name.startsWith('log-'))
      const durable = statSync(join(path, log)).size
      // What nobody was told about yet: it may be written in part.
      await disk.createStream('g1', 'a', 1)
      await disk.append('g1', 'a', encodeBatch([{ timestamp: 7, message: 'not acknowledged' }], 50))
      const crashed = directory()
      cpSync(path, crashed, { recursive: true })
      const all = statSync(join(path, log)).size
      truncateSync(join(crashed, log), durable + (cut % (all - durable)))
      await disk.close()

      const recovered = await DiskLogStore.open(crashed, options)
      const rows = (await shown(recovered, everything)) as unknown[]
      const before = acknowledged as unknown[]
      const isStreams = (row: unknown): boolean => Array.isArray(row) && row.every(Array.isArray)
      expect(rows.filter((row) => !isStreams(row))).toEqual(before.filter((row) => !isStreams(row)))
      await recovered.close()
    }),
    { numRuns: 60 },
  )
})

test('a crash between a segment and the end of its write-ahead log shows nothing twice', async () => {
  const path = directory()
  const disk = await DiskLogStore.open(path, { bytesMax: Infinity })
  await disk.createStream('g1', 'a', 1)
  await disk.append('g1', 'a', encodeBatch([{ timestamp: 7, message: 'once' }], 50))
  const [log = ''] = readdirSync(path).filter((name) => name.startsWith('log-'))
  const crashed = directory()
  cpSync(path, crashed, { recursive: true })
  await disk.checkpoint()
  await disk.close()
  cpSync(join(path, 'groups'), join(crashed, 'groups'), { recursive: true })
  expect(readdirSync(crashed)).toContain(log)

  const recovered = await DiskLogStore.open(crashed, options)
  const { events } = await recovered.read('g1', everything)
  expect(events.map(({ message }: StoredEvent) => message)).toEqual(['once'])
  await recovered.close()
})

test('a byte that changed on the disk is an error, not another log', async () => {
  const path = directory()
  const disk = await DiskLogStore.open(path, options)
  await disk.createStream('g1', 'a', 1)
  await disk.append('g1', 'a', encodeBatch([{ timestamp: 7, message: 'text '.repeat(50) }], 50))
  await disk.checkpoint()
  const [segment = ''] = readdirSync(join(path, 'groups', 'g1')).filter((name) => name.startsWith('segment'))
  const file = join(path, 'groups', 'g1', segment)
  const bytes = readFileSync(file)
  bytes[20] = (bytes[20] ?? 0) ^ 1
  writeFileSync(file, bytes)
  await expect(disk.read('g1', everything)).rejects.toThrow(/segment-1\.0 .* is damaged/)
  await disk.close()
})

test('bytes are freed: of deleted streams and groups, and of the oldest when all is too much', async () => {
  const path = directory()
  const disk = await DiskLogStore.open(path, { bytesMax: 3000 })
  const noise = (seed: number): string =>
    Array.from({ length: 400 }, (_, at) => ((at * 7919 * seed) % 9973).toString(36)).join('')
  const files = (id: string): number =>
    readdirSync(join(path, 'groups', id))
      .filter((name) => name.startsWith('segment'))
      .reduce((sum, name) => sum + statSync(join(path, 'groups', id, name)).size, 0)
  for (const id of ['g1', 'g2']) for (const name of ['a', 'b']) await disk.createStream(id, name, 1)
  await disk.append('g1', 'a', encodeBatch([{ timestamp: 1, message: noise(3) }], 1))
  await disk.append('g1', 'b', encodeBatch([{ timestamp: 1, message: 'kept' }], 1))
  await disk.checkpoint()
  const both = files('g1')
  await disk.deleteStream('g1', 'a')
  await disk.checkpoint()
  expect(files('g1')).toBeLessThan(both / 2)
  for (let at = 2; at < 12; at++) {
    await disk.append('g2', 'a', encodeBatch([{ timestamp: at, message: noise(at) }], 1))
    await disk.checkpoint()
  }
  expect(files('g2')).toBeLessThanOrEqual(3000)
  const { events } = await disk.read('g2', everything)
  expect(events.at(-1)?.timestamp).toBe(11)
  expect(events.length).toBeGreaterThan(0)
  await disk.deleteGroup('g2')
  expect(readdirSync(join(path, 'groups'))).toEqual(['g1'])
  await disk.close()
})
