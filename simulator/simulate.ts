import { fleet, scenarios } from './scenarios.ts'
import { unsettled } from './settled.ts'
import { World } from './world.ts'

export interface Outcome {
  readonly seed: number
  /** Which law was broken, and how; absent when none was. */
  readonly violation?: unknown
  /** How much time passed in the simulated world, how many timers rang in it, how often something was about to be or had just been written. */
  readonly simulatedMs: number
  readonly steps: number
  readonly moments: number
}

/** What happened in a run, with all changes of rows: takes longer. */
export interface Account extends Outcome {
  /** Of all that happened, to the byte. */
  readonly digest: string
  /** What led to the violation, in lines. */
  readonly story: string
}

/** The clients must have had their answers by then. */
const playMsMax = 3 * 3_600_000
/** Once faults have ended, everything must be as it should be in this time: less than a session lasts, more than any back-off. */
const settleMsMax = 20 * 60_000
const settleCheckMs = 5_000
const inspectEveryMs = 37_000

/**
 * Plays a scenario with a seed. The same seed gives the same run. The control plane dies once at the moment `crashAt` of
 * a write: just before or just after the first one is 1 or 2, the second one 3 or 4.
 */
export async function simulate(scenario: string, seed: number, crashAt?: number): Promise<Outcome> {
  const { world: _world, ...outcome } = await play(scenario, seed, { crashAt })
  return outcome
}

/** The same run, told. */
export async function account(scenario: string, seed: number, crashAt?: number): Promise<Account> {
  const { world, ...outcome } = await play(scenario, seed, { crashAt, traced: true })
  const story = world.history.about(outcome.violation)
  return { ...outcome, digest: world.history.digest(), story }
}

/** How to have a run again, and what led to its violation: for whoever finds out why. */
export async function report(scenario: string, seed: number, crashAt?: number): Promise<string> {
  const { violation, story } = await account(scenario, seed, crashAt)
  const crash = crashAt === undefined ? '' : ` --crash-at ${crashAt}`
  const said = violation instanceof Error ? (violation.stack ?? violation.message) : String(violation)
  return [
    story,
    `scenario ${scenario}, seed ${seed}: ${said}`,
    `again: npm run simulate -- --scenario ${scenario} --seeds 1 --first-seed ${seed}${crash}`,
  ].join('\n')
}

async function play(
  scenario: string,
  seed: number,
  { crashAt, traced = false }: { readonly crashAt?: number | undefined; readonly traced?: boolean },
): Promise<Outcome & { readonly world: World }> {
  const found = { ...scenarios, fleet }[scenario] ?? unknownScenario(scenario)
  const { hosts, faults, play, ...options } = found
  const world = new World(seed, { ...options, traced, crashAtMoment: crashAt })
  const startedMs = world.clock.now()
  await world.startControlPlane()
  const played = { done: false }
  const script = async (): Promise<void> => {
    await world.request('CreateCluster', { clusterName: 'default' })
    await Promise.all(Array.from({ length: hosts }, () => world.addHost()))
    await world.sleep(20_000)
    world.beginFaults(faults)
    await play(world)
    played.done = true
  }
  script().catch((error: unknown) => world.fail(error))
  const inspectAgain = (): void => {
    world.clock.at(world.clock.now() + inspectEveryMs, () => {
      world.inspect()
      if (!played.done) inspectAgain()
    })
  }
  // In a large fleet a look at all rows takes seconds.
  if (hosts < 100) inspectAgain()
  await world.run(startedMs + playMsMax, () => played.done)
  if (!played.done) world.fail(new Error('the clients got no answer'))
  world.endFaults()
  await settle(world)
  world.checkEnd()
  return {
    world,
    seed,
    ...(world.violation !== undefined && { violation: world.violation }),
    simulatedMs: world.clock.now() - startedMs,
    steps: world.clock.steps,
    moments: world.moments,
  }
}

async function settle(world: World): Promise<void> {
  const deadline = world.clock.now() + settleMsMax
  while (world.violation === undefined) {
    await world.run(world.clock.now() + settleCheckMs, () => false)
    const lacking = unsettled(world)
    if (lacking === undefined) return
    if (world.clock.now() >= deadline) world.fail(new Error(`it never settled: ${lacking}`))
  }
}

function unknownScenario(scenario: string): never {
  throw new Error(`there is no scenario ${scenario}; there are ${Object.keys(scenarios).join(', ')}`)
}
