/** What tests of operations run on: a context with an empty store, a clock moved by hand and ids from a seed. */
import type { Clock } from '@berth/std/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { memoryJournal } from '#state/journal.ts'
import { Fleet } from '#state/fleet.ts'
import { Store } from '#state/store.ts'
import { vaultInMemory } from '#state/vault.ts'
import type { DataPlanes } from './data-planes.ts'
import type { Context } from './operation.ts'

/** A clock that stands still until it is moved. */
export interface HandClock extends Clock {
  advance(durationMs: number): void
}

export interface TestContext extends Context {
  readonly clock: HandClock
}

/** A context of the root of an account. Opening a store takes a turn of the event loop, so it comes as a promise. */
export function testContext({
  now = Date.UTC(2026, 0, 1),
  accountId = '000000000000',
  region = 'us-east-1',
  dataPlanes = noDataPlanes,
}: {
  readonly now?: number
  readonly accountId?: string
  readonly region?: string
  readonly dataPlanes?: DataPlanes
} = {}) {
  const ids = idsFrom(prng(1))
  return Store.open(memoryJournal).then((store): TestContext => ({
    store,
    fleet: Fleet.of(store),
    clock: handClock(now),
    ids,
    caller: { accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId },
    scope: { accountId, region },
    requestId: ids.uuid(),
    installation: {
      url: 'http://127.0.0.1:4566',
      registryHost: 'localhost:4566',
      agentUrl: () => 'http://127.0.0.1:4566',
    },
    dataPlanes,
    vault: vaultInMemory(idsFrom(prng(3))),
  }))
}

function handClock(start: number): HandClock {
  let now = start
  const calls = new Set<{ readonly at: number; readonly callback: () => void }>()
  return {
    now: () => now,
    at: (at, callback) => {
      const call = { at, callback }
      calls.add(call)
      return () => calls.delete(call)
    },
    advance: (durationMs) => {
      now += durationMs
      const due = [...calls].filter(({ at }) => at <= now).toSorted((left, right) => left.at - right.at)
      for (const call of due) if (calls.delete(call)) call.callback()
    },
  }
}

const unavailable = (): never => {
  throw new Error('this test was given no data planes')
}
const noDataPlanes: DataPlanes = {
  layers: {
    initiateLayerUpload: unavailable,
    uploadLayerPart: unavailable,
    completeLayerUpload: unavailable,
  },
  consoles: { getConsoleOutput: unavailable },
  commands: { openSession: unavailable, resumeSession: unavailable, terminateSession: unavailable },
  logs: {
    createLogStream: unavailable,
    deleteLogGroup: unavailable,
    deleteLogStream: unavailable,
    describeLogGroups: unavailable,
    describeLogStreams: unavailable,
    filterLogEvents: unavailable,
    getLogEvents: unavailable,
    putLogEvents: unavailable,
    startLiveTail: unavailable,
  },
}
