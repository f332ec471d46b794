import { parseArgs } from 'node:util'
import { scenarios } from './scenarios.ts'
import { type Outcome, report, simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    seeds: { type: 'string', default: '20' },
    'first-seed': { type: 'string', default: '1' },
    /** The control plane dies at this moment of a write; `each`: each seed is played once for every such moment. */
    'crash-at': { type: 'string' },
    'until-violation': { type: 'boolean', default: false },
  },
})
const names = values.scenario === undefined ? Object.keys(scenarios) : values.scenario.split(',')
const first = Number(values['first-seed'])
const seeds = Number(values.seeds)
const crashAt = values['crash-at']
let violations = 0

async function* outcomes(name: string, seed: number): AsyncGenerator<Outcome> {
  if (crashAt !== 'each') {
    yield await play(name, seed, crashAt === undefined ? undefined : Number(crashAt))
    return
  }
  // A run in which nobody died comes last: it had no such moment.
  for (let moment = 1; ; moment++) {
    const outcome = await play(name, seed, moment)
    yield outcome
    if (outcome.moments < moment) return
  }
}

async function play(name: string, seed: number, moment: number | undefined): Promise<Outcome> {
  const outcome = await simulate(name, seed, moment)
  if (outcome.violation === undefined) return outcome
  violations++
  console.error(`${await report(name, seed, moment)}\n`)
  if (values['until-violation']) process.exit(1)
  return outcome
}

for (const name of names) {
  const started = performance.now()
  let simulatedMs = 0
  let runs = 0
  for (let seed = first; seed < first + seeds; seed++)
    for await (const outcome of outcomes(name, seed)) {
      simulatedMs += outcome.simulatedMs
      runs++
    }
  const seconds = (performance.now() - started) / 1_000
  const played = runs === seeds ? `${seeds} seeds` : `${seeds} seeds in ${runs} runs`
  console.log(
    `${name}: ${played}, ${(simulatedMs / 3_600_000).toFixed(1)} simulated hours in ${seconds.toFixed(1)} s`,
  )
}
process.exitCode = violations > 0 ? 1 : 0
