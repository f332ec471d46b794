import { parseArgs } from 'node:util'
import { scenarios } from './scenarios.ts'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    seeds: { type: 'string', default: '20' },
    'first-seed': { type: 'string', default: '1' },
  },
})
const names = values.scenario === undefined ? Object.keys(scenarios) : [values.scenario]
const first = Number(values['first-seed'])
const seeds = Number(values.seeds)
let violations = 0

for (const name of names) {
  const started = performance.now()
  let simulatedMs = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const outcome = await simulate(name, seed)
    simulatedMs += outcome.simulatedMs
    if (outcome.violation === undefined) continue
    violations++
    console.error(outcome.history.join('\n'))
    console.error(`scenario ${name}, seed ${seed}:`, outcome.violation)
    console.error(`again: npm run simulate -- --scenario ${name} --seeds 1 --first-seed ${seed}\n`)
  }
  const seconds = (performance.now() - started) / 1_000
  console.log(
    `${name}: ${seeds} seeds, ${(simulatedMs / 3_600_000).toFixed(1)} simulated hours in ${seconds.toFixed(1)} s`,
  )
}
process.exitCode = violations > 0 ? 1 : 0
