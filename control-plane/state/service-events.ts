import type { Ids } from '@berth/std/id.ts'
import type { Service } from '#domain/service.ts'
import { troubleCause } from '#domain/service-events-text.ts'
import type { Transaction } from './store.ts'

/** Of each service; the oldest goes when another comes. */
const eventsMax = 100
/** After this time a trouble that stays, or a steady state, is said again. */
export const repeatEventAfterMs = 6 * 3_600_000

export interface EventSource {
  readonly ids: Ids
  readonly now: number
}

/** Adds a line to the service's history. */
export function appendServiceEvent(
  tx: Transaction,
  serviceArn: string,
  message: string,
  { ids, now }: EventSource,
): void {
  const events = tx.by('serviceEvent', 'service', serviceArn)
  // Rows come back from a journal in any order, so the index does not tell which is the newest.
  const newest = events.reduce((highest, { sequence }) => Math.max(highest, sequence), 0)
  for (const { sequence } of events)
    if (sequence <= newest + 1 - eventsMax) tx.delete('serviceEvent', `${serviceArn}/${sequence}`)
  tx.put('serviceEvent', { serviceArn, sequence: newest + 1, id: ids.uuid(), createdAt: now, message })
}

/**
 * Says a trouble unless it has been said within six hours and has not cleared since. Returns the service as it now
 * remembers the trouble; the caller puts the row.
 */
export function sayTrouble(tx: Transaction, service: Service, message: string, source: EventSource): Service {
  const { trouble } = service
  const said = trouble !== undefined && troubleCause(trouble.message) === troubleCause(message)
  if (said && source.now < trouble.at + repeatEventAfterMs) return service
  appendServiceEvent(tx, service.serviceArn, message, source)
  return { ...service, trouble: { message, at: source.now } }
}

/** The service without the trouble whose cause is gone. */
export function clearTrouble(service: Service): Service {
  if (service.trouble === undefined) return service
  const { trouble: _, ...untroubled } = service
  return untroubled
}
