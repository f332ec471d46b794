/**
 * Holds docs/compatibility.md to the truth: what it says of a parameter of ECS or ECR is tried, as parameter-probe-testing.ts says.
 * A parameter that it does not name counts as honoured, so some value of it must make a difference. Whether what is kept has
 * the right effect cannot be seen so; the tests of the operations show that. EC2's parameters are held by ec2/inputs.test.ts.
 */
import { loadModel } from '@berth/wire/model.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { covers } from '#api/parameter-exception.ts'
import { parameterExceptions } from '#api/parameters.ts'
import { services } from '#api/services.ts'
import type { JournalRow } from '#state/journal.ts'
import { existing as anyExisting, existingName } from './any-input-testing.ts'
import { apiWorld, rowsOf } from './api-world-testing.ts'
import { existing, meanwhile, start } from './every-operation-testing.ts'
import { type Likely, probe, type Probed, type Send } from './parameter-probe-testing.ts'
import { prelude, samples } from './samples-testing.ts'

/** All but the data planes. */
const has = (['ecs', 'ecr'] as const).flatMap((service) =>
  Object.entries(services[service]).flatMap(([operation, row]) =>
    'run' in row ? [{ service, operation }] : [],
  ),
)

let rows: readonly JournalRow[]
let likely: Readonly<Record<'ecs' | 'ecr', Likely>>
beforeAll(async () => {
  const world = await apiWorld()
  for (const [operation, input] of prelude) await world.call('ecs', operation, input)
  meanwhile['agents connect']?.(world, () => 0)
  await start(world)
  for (const what of ['time passes', 'tasks start']) meanwhile[what]?.(world, () => 0)
  rows = rowsOf(world)
  likely = {
    ecs: existing(world.context.store, [], 'ecs'),
    ecr: existing(world.context.store, [], 'ecr'),
  }
})

const sendTo =
  (service: 'ecs' | 'ecr'): Send =>
  async (operation, input) => {
    const { code, message, body, changes } = await (await apiWorld(rows)).call(service, operation, input)
    // That a token is remembered shows nothing: its fingerprint is of all there is.
    const changed = changes.filter(({ table }) => table !== 'idempotency' && table !== 'installationSecret')
    const seen = JSON.stringify([code, body, changed.map(({ table, after }) => [table, after])])
    return { code, message, seen }
  }

/** The sample with names of what exists in place of `<existing>`. */
function settled(value: unknown, names: Likely, member = ''): unknown {
  if (value === anyExisting) return names(member, '')[0]
  if (value === existingName) return names(member, '')[1]
  if (Array.isArray(value)) return value.map((item) => settled(item, names, member))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, settled(each, names, name)]))
}

const within = (path: string, other: string): boolean => covers({ parameter: path }, other)

describe.each(has)('$service $operation', ({ service, operation }) => {
  const own = parameterExceptions.filter((row) => row.service === service && row.operation === operation)
  let probed: readonly Probed[]
  beforeAll(async () => {
    const input = (await loadModel(service)).get(operation)?.input
    const names = likely[service]
    const inputs = (samples[operation] ?? [{}]).map((sample) => settled(sample, names) as object)
    probed = input ? await probe(operation, input, inputs, { send: sendTo(service), likely: names }) : []
  })

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
