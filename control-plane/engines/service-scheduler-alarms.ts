/** How the service scheduler ends a deployment when one of the alarms that the service names goes off. */
import { alarmText } from '#domain/service-events-text.ts'
import { driving, fail } from './service-scheduler-deployment.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** Which of the alarms are in the state ALARM. */
export interface Alarms {
  inAlarm(
    names: readonly string[],
    of: { readonly accountId: string; readonly region: string },
  ): readonly string[]
}

/** Alarms tell nobody when they change: they are asked so often. */
const askedEveryMs = 30_000

/**
 * Fails the deployment when an alarm goes off; what was in alarm before it started is ignored as long as it lasts.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
 */
export function watchAlarms(look: ServiceLook): void {
  const { now, primary, service, tx, tools } = look
  const { enable, rollback = false, alarmNames = [] } = service.deploymentConfiguration.alarms ?? {}
  const driven = driving(look, primary)
  if (!tools.alarms || !enable || !primary || driven?.status !== 'IN_PROGRESS') return
  if (primary.rolloutState !== 'IN_PROGRESS') return
  const inAlarm = tools.alarms.inAlarm(alarmNames, service)
  const { ignored = inAlarm } = driven.alarms ?? {}
  const triggered = inAlarm.filter((name) => !ignored.includes(name))
  if (!driven.alarms || triggered.length > 0)
    tx.put('serviceDeployment', { ...driven, alarms: { ignored, triggered }, updatedAt: now })
  if (triggered.length === 0) {
    look.lookAgainAt(now + askedEveryMs)
    return
  }
  look.say(alarmText(service, primary.deploymentId))
  // No source gives the texts of the service deployment.
  fail(look, primary, {
    rollback: rollback === true,
    reason: 'Service deployment rolled back because an alarm was detected.',
    stopped: 'Service deployment stopped because an alarm was detected.',
    failed: 'ECS deployment failed: alarm detected.',
  })
}
