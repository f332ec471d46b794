import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** Runs the benches, each in a process of its own, and passes their figures on: one JSON line a figure. */
const parts = ['footprint', 'store', 'logs', 'placement', 'api', 'launch', 'agent'] as const
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const chosen = values.only === undefined ? parts : parts.filter((part) => part === values.only)
if (chosen.length === 0) {
  console.error(`bench: there is no part ${values.only}; the parts are ${parts.join(', ')}`)
  process.exit(1)
}
for (const part of chosen) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${part}.ts`)], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
