import { reasonOf } from '#engine/observe.ts'
import type { Step } from '#engine/task-plan.ts'
import { messageOf } from './agent-error.ts'
import { ImageError } from './images.ts'
import { ResourceError } from './task-resources.ts'
import { VolumeError } from './volumes.ts'

const errorNames: Readonly<Record<Step, string>> = {
  pull: 'CannotPullContainerError',
  create: 'CannotCreateContainerError',
  start: 'CannotStartContainerError',
  stop: 'CannotStopContainerError',
}
const reached: Readonly<Record<Step, string>> = {
  pull: 'pulled',
  create: 'created',
  start: 'started',
  stop: 'stopped',
}

/** A step took longer than it may. Whether it will be done yet, nobody knows. */
export class StepTimeout extends Error {
  constructor(step: Step, limitMs: number) {
    super(`Could not transition to ${reached[step]}; timed out after waiting ${goDuration(limitMs)}`)
  }
}

/** As Go writes durations: `3m0s`. */
function goDuration(durationMs: number): string {
  const hours = Math.floor(durationMs / 3_600_000)
  const minutes = Math.floor(durationMs / 60_000) % 60
  const seconds = (durationMs % 60_000) / 1000
  const whole = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : ''
  return `${whole}${seconds}s`
}

/** Why a container did not get where it should, in the official agent's words. */
export function failureReason(step: Step | 'look', error: unknown): string {
  if ([ImageError, VolumeError, ResourceError].some((kind) => error instanceof kind))
    return (error as ImageError | VolumeError | ResourceError).reason
  if (error instanceof StepTimeout) return reasonOf('DockerTimeoutError', error.message)
  return reasonOf(step === 'look' ? 'CannotInspectContainerError' : errorNames[step], messageOf(error))
}
