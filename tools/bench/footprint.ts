import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startControlPlane } from '@berth/tools/control-plane.ts'
import { figure, median } from './figure.ts'
import { largeFleet, writeFleet } from './stored-state.ts'

/** Cold start and idle memory, of `./berth up --memory --dev` and of one with a journal; the median of five. */
const runs = 5
for (const [name, flags] of [
  ['memory', ['--memory', '--dev']],
  ['journal', []],
] as const) {
  const readyMs: number[] = []
  const residentMB: number[] = []
  for (let run = 0; run < runs; run++) {
    const berth = await startControlPlane(flags)
    await wait(2_000)
    readyMs.push(berth.readyMs)
    residentMB.push(berth.residentMB())
    await berth.stop()
  }
  figure(`footprint.${name}.ready`, median(readyMs), 'ms')
  figure(`footprint.${name}.idle`, median(residentMB), 'MB')
}

/** The whole of a restart with many tasks, from the start of the process to its `ready` line. */
const directory = mkdtempSync(join(tmpdir(), 'berth-run-'))
await writeFleet(join(directory, 'state.sqlite'))
const recovered: number[] = []
for (let run = 0; run < 3; run++) {
  const berth = await startControlPlane([], { directory })
  recovered.push(berth.readyMs)
  if (run < 2) await berth.crash()
  else {
    figure('footprint.recovery.resident', berth.residentMB(), 'MB', { tasks: largeFleet.tasks })
    await berth.stop()
  }
}
figure('footprint.recovery.ready', median(recovered), 'ms', { tasks: largeFleet.tasks })
