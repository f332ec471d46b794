/**
 * Why a control plane refuses an agent's upgrade. `InactiveInstanceException` makes the official agent take itself
 * for deregistered and wait an hour; every other makes it come back after a growing pause.
 */
export const refusalTypes = [
  'ServerException',
  'BadRequestException',
  'InvalidClusterException',
  'InvalidInstanceException',
  'AccessDeniedException',
  'InactiveInstanceException',
] as const
export type RefusalType = (typeof refusalTypes)[number]

export interface Refusal {
  readonly type: RefusalType
  readonly message: string
}

/** The HTTP body of a refused upgrade. */
export function refusalBody({ type, message }: Refusal): string {
  return JSON.stringify({ [type]: message })
}

/** The refusal in a body, of either form AWS uses; undefined when there is none. Never throws. */
export function readRefusal(body: string): Refusal | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const members = value as Record<string, unknown>
  for (const type of refusalTypes) {
    if (Object.hasOwn(members, type)) return { type, message: String(members[type]) }
    if (members['type'] === type) {
      const message = members['message'] as { message?: unknown } | null | undefined
      return { type, message: typeof message?.message === 'string' ? message.message : '' }
    }
  }
  return undefined
}
