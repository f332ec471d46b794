/** The laws of deployments and service deployments, seen after each transaction. */
import type { Lifecycle } from '@berth/control-plane/domain/rollout-lifecycle.ts'
import type { Deployment, Service } from '@berth/control-plane/domain/service.ts'
import {
  isFinished,
  isUnderWay,
  type ServiceDeployment,
} from '@berth/control-plane/domain/service-deployment.ts'
import type { Change, View } from '@berth/control-plane/state/store.ts'
import { isHealthyAt } from './rollout-bounds.ts'

/** The first law that the changes break; undefined when they break none. */
export function brokenRolloutLaw(view: View, changes: readonly Change[]): string | undefined {
  const services = new Set<string>()
  for (const change of changes) {
    const { table, before, after } = change
    if (table !== 'deployment' && table !== 'serviceDeployment') continue
    services.add(((after ?? before) as Deployment | ServiceDeployment).serviceArn)
    const broken = table === 'serviceDeployment' && brokenByMove(view, change as Change<'serviceDeployment'>)
    if (broken) return broken
  }
  for (const serviceArn of services) {
    const service = view.find('service', serviceArn)
    const broken = service?.status === 'ACTIVE' && brokenByService(view, service)
    if (broken) return broken
  }
  return undefined
}

function brokenByMove(view: View, { before, after }: Change<'serviceDeployment'>): string | undefined {
  if (!before || !after) return undefined
  const { serviceDeploymentArn: arn, deploymentId, status } = after
  if (isFinished(before)) return `${arn} had finished and changed`
  const rolloutState = view.find('deployment', deploymentId)?.rolloutState
  if (status === 'SUCCESSFUL' && rolloutState !== 'COMPLETED')
    return `${arn} is SUCCESSFUL while its deployment is ${rolloutState}`
  const astray = before.lifecycle && after.lifecycle && brokenLifecycle(before.lifecycle, after.lifecycle)
  if (astray) return `${arn} ${astray}`
  if ((after.lifecycle?.production ?? 0) > (before.lifecycle?.production ?? 0)) {
    const { desiredCount = 0 } = view.find('service', after.serviceArn) ?? {}
    const healthy = view
      .by('task', 'deployment', deploymentId)
      .filter((task) => task.desiredStatus === 'RUNNING' && isHealthyAt(view, task, after.updatedAt)).length
    if (healthy < desiredCount)
      return `${arn} gives traffic to a revision with ${healthy} healthy tasks of ${desiredCount}`
  }
  if (isFinished(after) && !after.outcome) return `${arn} has finished without an outcome`
  return undefined
}

const stages: readonly string[] = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRE_PRODUCTION_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
  'BAKE_TIME',
  'CLEAN_UP',
]

/** Stages and weights go forward only, unless the deployment is rolled back; then traffic only goes back. */
function brokenLifecycle(before: Lifecycle, after: Lifecycle): string | undefined {
  const place = ({ stage, step }: Lifecycle): number => step * stages.length + stages.indexOf(stage)
  if (before.rollingBack && !after.rollingBack) return 'rolls back no more'
  if (after.stage === 'CLEAN_UP' && after.scattered) return 'cleans up while third revisions may have traffic'
  if (after.rollingBack)
    return after.production > before.production || after.test > before.test
      ? 'shifts traffic to a revision that is given up'
      : undefined
  if (place(after) < place(before)) return `went from ${before.stage} back to ${after.stage}`
  if (after.production < before.production || after.test < before.test) return 'takes traffic back'
  if (after.stage === 'CLEAN_UP' && after.production !== 100) return 'cleans up before all traffic is shifted'
  return undefined
}

function brokenByService(view: View, { serviceArn }: Service): string | undefined {
  const primaries = view.by('deployment', 'service', serviceArn).filter(({ status }) => status === 'PRIMARY')
  const [primary] = primaries
  if (!primary || primaries.length !== 1) return `${serviceArn} has ${primaries.length} PRIMARY deployments`
  const underWay = view.by('serviceDeployment', 'unfinished', serviceArn).filter(isUnderWay)
  if (underWay.length > 1) return `${serviceArn} has ${underWay.length} service deployments under way`
  const driving = view.find('serviceDeployment', primary.serviceDeploymentArn ?? '')
  if (!driving) return `${primary.deploymentId} has no service deployment`
  if (underWay.some((row) => row !== driving)) return `${serviceArn} deploys what is not PRIMARY`
  if (primary.rolloutState === 'IN_PROGRESS' && isFinished(driving))
    return `${primary.deploymentId} is IN_PROGRESS in a service deployment that is ${driving.status}`
  return undefined
}
