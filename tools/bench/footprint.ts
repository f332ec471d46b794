import { setTimeout as wait } from 'node:timers/promises'
import { startControlPlane } from '@berth/tools/control-plane.ts'
import { figure, median } from './figure.ts'

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
