/**
 * Holds docs/compatibility.md to the truth: what it says of a parameter is tried, as parameter-probe-testing.ts says. A
 * parameter that it does not name counts as honoured, so some value of it must make a difference. Whether what is kept has
 * the right effect cannot be seen so; the tests of the operations show that. EC2's parameters are held by ec2/inputs.test.ts.
 */
import { loadModel, type ServiceName } from '@berth/wire/model.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { covers } from '#api/parameter-exception.ts'
import { parameterExceptions } from '#api/parameters.ts'
import { services } from '#api/services.ts'
import type { JournalRow } from '#state/journal.ts'
import { type ApiWorld, apiWorld, rowsOf } from './api-world-testing.ts'
import { begin, meanwhile, start } from './every-operation-testing.ts'
import { existing, settled } from './existing-testing.ts'
import { type Likely, probe, type Probed, type Send } from './parameter-probe-testing.ts'
import { logsPrelude } from './samples-logs-testing.ts'
import { samples } from './samples-testing.ts'

const probedServices = [
  'ecs',
  'ecr',
  'iam',
  'sts',
  'events',
  'logs',
  'scheduler',
  'secretsmanager',
  'ssm',
] as const satisfies readonly ServiceName[]
type ProbedService = (typeof probedServices)[number]

/** All but what reads and writes bytes; of that the events of logs, which are in memory here. */
const has = probedServices.flatMap((service) =>
  Object.entries(services[service]).flatMap(([operation, row]) =>
    'run' in row || ('serve' in row && service === 'logs' && operation !== 'StartLiveTail')
      ? [{ service, operation }]
      : [],
  ),
)

interface Beginning {
  readonly rows: readonly JournalRow[]
  readonly likely: Likely
}
let beginnings: Readonly<Record<ProbedService, Beginning>>
/** Many worlds begin with these rows, so that each service has its own only. */
async function beginningOf(service: ProbedService, own: readonly ServiceName[]): Promise<Beginning> {
  const world = await apiWorld()
  if (own.includes('ecs')) await begin(world)
  await start(world, own)
  for (const what of ['time passes', 'tasks start']) meanwhile[what]?.(world, () => 0)
  return { rows: rowsOf(world), likely: existing(world.context.store, [], service) }
}

beforeAll(async () => {
  const made = probedServices.map(async (service) => {
    const own =
      service === 'ecr' ? (['ecs', 'ecr'] as const) : service === 'sts' ? (['iam'] as const) : [service]
    return [service, await beginningOf(service, own)] as const
  })
  beginnings = Object.fromEntries(await Promise.all(made)) as typeof beginnings
})

/** The streams of logs and their events, which are in no row. */
async function streamsOf(world: ApiWorld): Promise<readonly unknown[]> {
  const logGroupName = '/ecs/web'
  const streams = await world.call('logs', 'DescribeLogStreams', { logGroupName })
  const events = await world.call('logs', 'FilterLogEvents', { logGroupName })
  return [streams.body, events.body]
}

const sendTo =
  (service: ProbedService): Send =>
  async (operation, input) => {
    const world = await apiWorld(beginnings[service].rows)
    if (service === 'logs') for (const [name, given] of logsPrelude) await world.call('logs', name, given)
    const { code, message, body, changes } = await world.call(service, operation, input)
    // That a token is remembered shows nothing: its fingerprint is of all there is.
    const changed = changes.filter(({ table }) => table !== 'idempotency' && table !== 'installationSecret')
    const streams = service === 'logs' ? await streamsOf(world) : []
    const seen = JSON.stringify([code, body, changed.map(({ table, after }) => [table, after]), streams])
    return { code, message, seen }
  }

const within = (path: string, other: string): boolean => covers({ parameter: path }, other)

describe.each(has)('$service $operation', ({ service, operation }) => {
  const own = parameterExceptions.filter((row) => row.service === service && row.operation === operation)
  let probed: readonly Probed[]
  beforeAll(async () => {
    const input = (await loadModel(service)).get(operation)?.input
    const { likely } = beginnings[service]
    const inputs = (samples[service][operation] ?? [{}]).map((sample) => settled(sample, likely) as object)
    probed = input ? await probe(operation, input, inputs, { send: sendTo(service), likely }) : []
  }, 120_000)

  test('heeds every parameter of which the page says nothing', () => {
    const heeded = probed.filter((each) => each.heeded).map(({ path }) => path)
    const unheeded = probed
      .map(({ path }) => path)
      .filter((path) => !heeded.some((each) => within(path, each)))
      .filter((path) => !own.some((row) => covers(row, path)))
    // Give it a row in one of the files of api/parameters.ts, or give samples-testing.ts an input in which it bears on something.
    expect(unheeded).toEqual([])
  })

  test('refuses as unsupported only what the page says it does', () => {
    const unsaid = probed.filter(({ path, unsupported }) => {
      if (unsupported === undefined) return false
      const said = own.filter(({ treatment }) => treatment === 'rejected' || treatment === 'partly')
      return !said.some((row) => covers(row, path) || within(path, row.parameter))
    })
    expect(unsaid.map(({ path, unsupported }) => `${path}: ${unsupported}`)).toEqual([])
  })

  test.each(own)('does with $parameter what the page says: $treatment', ({ parameter, treatment }) => {
    const found = probed.find(({ path }) => path === parameter)
    expect(found, 'a member of the model').toBeDefined()
    const parts = probed.filter(({ path }) => within(parameter, path))
    const some = (of: (each: Probed) => boolean): boolean => parts.some(of)
    const heeded = some((each) => each.heeded)
    const refused = some((each) => each.unsupported !== undefined || each.refused)
    const takes = some((each) => each.taken)
    const shown = {
      stored: { heeded, takes },
      ignored: { affects: some((each) => each.affects) },
      partly: { heeded },
      rejected: { refused },
    }
    const said = {
      stored: { heeded: true, takes: true },
      ignored: { affects: false },
      partly: { heeded: true },
      rejected: { refused: true },
    }
    expect(shown[treatment]).toEqual(said[treatment])
  })
})
