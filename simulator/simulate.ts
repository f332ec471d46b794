import { fleet, scenarios } from './scenarios.ts'
import { unsettled } from './settled.ts'
import { World } from './world.ts'

export interface Outcome {
  readonly seed: number
  /** Which law was broken, and how; absent when none was. */
  readonly violation?: unknown
  readonly history: readonly string[]
  /** How much time passed in the simulated world, and how many timers rang in it. */
  readonly simulatedMs: number
  readonly steps: number
}

/** The clients must have had their answers by then. */
const playMsMax = 3 * 3_600_000
/** Once faults have ended, everything must be as it should be in this time: less than a session lasts, more than any back-off. */
const settleMsMax = 20 * 60_000
const settleCheckMs = 5_000

/** Plays a scenario with a seed. The same seed gives the same run. */
export async function simulate(scenario: string, seed: number): Promise<Outcome> {
  const {
    hosts,
    faults,
    withProvider = false,
    play,
  } = { ...scenarios, fleet }[scenario] ?? unknownScenario(scenario)
  const world = new World(seed, { withProvider })
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
  await world.run(startedMs + playMsMax, () => played.done)
  if (!played.done) world.fail(new Error('the clients got no answer'))
  world.endFaults()
  await settle(world)
  world.checkEnd()
  return {
    seed,
    ...(world.violation !== undefined && { violation: world.violation }),
    history: world.history,
    simulatedMs: world.clock.now() - startedMs,
    steps: world.clock.steps,
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
