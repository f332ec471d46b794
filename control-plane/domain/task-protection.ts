/** Protection of a service's tasks from being stopped for scaling in or for a newer deployment. */
import type { Task } from './task.ts'

const minuteMs = 60_000

/** For how long a task can be protected at a time, in minutes; a later call extends it. */
export const protectionMinutes = { least: 1, most: 2880, usual: 120 } as const

/** When the protection that the task has at `now` ends; undefined when it has none, or none any more. */
export function protectionEnd(
  { protectedUntil }: Pick<Task, 'protectedUntil'>,
  now: number,
): number | undefined {
  return protectedUntil !== undefined && now < protectedUntil ? protectedUntil : undefined
}

/** The task protected for so many minutes from `now` on. No event tells of it, so the version stays. */
export function protect(task: Task, minutes: number, now: number): Task {
  return { ...task, protectedUntil: now + minutes * minuteMs }
}

export function unprotect(task: Task): Task {
  const { protectedUntil: _, ...unprotected } = task
  return task.protectedUntil === undefined ? task : unprotected
}
