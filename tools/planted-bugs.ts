/** Plants one bug after the other and says with how many seeds the simulator finds it: node tools/planted-bugs.ts [PART OF A NAME] */
import { spawnSync } from 'node:child_process'
import { plantedBugs } from '@berth/simulator/planted-bugs.ts'

const seedsMax = 60
const timeoutMs = 180_000
const here = new URL('..', import.meta.url).pathname
let missed = 0

for (const { name, scenario } of plantedBugs) {
  if (!name.includes(process.argv[2] ?? '')) continue
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    `--import ./simulator/plant.ts simulator/main.ts --until-violation --scenario ${scenario} --seeds ${seedsMax}`.split(
      ' ',
    ),
    { cwd: here, env: { ...process.env, PLANTED_BUG: name }, encoding: 'utf8', timeout: timeoutMs },
  )
  const found = /^scenario \S+, seed (\d+): (.*)$/m.exec(stderr)
  if (!found) missed++
  const how = found
    ? `found by seed ${found[1]} of ${scenario}: ${found[2]}`
    : `MISSED by ${scenario}: ${error?.message ?? (stderr.trim().slice(-300) || stdout.trim())}`
  console.log(`${name}\n    ${how.slice(0, 240)}`)
}
console.log(`${missed} missed`)
process.exitCode = missed > 0 ? 1 : 0
