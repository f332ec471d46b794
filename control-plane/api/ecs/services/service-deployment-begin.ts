import { present } from '@berth/std/assert.ts'
import type { Ids } from '@berth/std/id.ts'
import { newDeployment, type Deployment, type Service } from '#domain/service.ts'
import {
  isUnderWay,
  newServiceDeployment,
  newServiceRevision,
  requestStop,
  supersededText,
} from '#domain/service-deployment.ts'
import type { Transaction } from '#state/store.ts'

/**
 * Begins to take a service to what its row now says: writes a deployment, which becomes PRIMARY, with its revision and its
 * service deployment. The deployment that was PRIMARY becomes one that the service comes from, and its service deployment
 * is to stop. The caller puts the service's row.
 */
export function beginDeployment(
  tx: Transaction,
  service: Service,
  { ids, now }: { readonly ids: Ids; readonly now: number },
): Deployment {
  const standing = tx.by('deployment', 'service', service.serviceArn)
  for (const deployment of standing) if (deployment.status === 'PRIMARY') supersede(tx, deployment, now)
  const taskDefinition = present(tx.find('taskDefinition', service.taskDefinitionArn), 'the revision')
  const deployment = newDeployment(service, { ids, now })
  const { deploymentId } = deployment
  const revision = newServiceRevision(service, taskDefinition, { deploymentId, now })
  const sources = sourcesOf(tx, standing)
  const serviceDeployment = newServiceDeployment(revision, { deploymentId, sources, ids, now })
  const begun: Deployment = {
    ...deployment,
    serviceRevisionArn: revision.serviceRevisionArn,
    serviceDeploymentArn: serviceDeployment.serviceDeploymentArn,
  }
  tx.put('serviceRevision', revision)
  tx.put('serviceDeployment', serviceDeployment)
  tx.put('deployment', begun)
  return begun
}

/** What the service runs: the revision that was PRIMARY, and older ones that still have tasks. */
function sourcesOf(tx: Transaction, standing: readonly Deployment[]): readonly string[] {
  const running = standing.filter(
    ({ status, deploymentId }) => status === 'PRIMARY' || tx.count('task', 'deployment', deploymentId) > 0,
  )
  const arns = running.flatMap(({ serviceRevisionArn: arn }) => (arn === undefined ? [] : [arn]))
  return [...new Set(arns)]
}

/** One that rolls back already goes on being just that, until the scheduler sees that it no longer can. */
function supersede(tx: Transaction, deployment: Deployment, now: number): void {
  tx.put('deployment', { ...deployment, status: 'ACTIVE', updatedAt: now })
  const driven = tx.find('serviceDeployment', deployment.serviceDeploymentArn ?? '')
  if (driven && isUnderWay(driven))
    tx.put('serviceDeployment', requestStop(driven, { now, reason: supersededText }))
}
