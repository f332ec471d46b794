import type {
  DeploymentConfiguration,
  Service as ServiceShape,
  ServiceDeployment as ServiceDeploymentShape,
  ServiceDeploymentAlarms,
  ServiceDeploymentBrief,
  ServiceDeploymentLifecycleStage,
  ServiceRevision as ServiceRevisionShape,
} from '@aws-sdk/client-ecs'
import { type Lifecycle, timeoutActionOf } from '#domain/rollout-lifecycle.ts'
import type { Deployment, Service } from '#domain/service.ts'
import { isFinished, type ServiceDeployment, type ServiceRevision } from '#domain/service-deployment.ts'
import { progressOf, revisionCounts } from '#state/service-deployments.ts'
import type { View } from '#state/store.ts'
import { platforms } from '#domain/fargate.ts'

/**
 * What a service shows of its service deployment and its revisions. As on AWS a service deployment is shown from when it
 * has started: the answer to the request that began it does not name it yet.
 */
export function showCurrent(
  view: View,
  service: Service,
  deployments: readonly Deployment[],
): Pick<ServiceShape, 'currentServiceDeployment' | 'currentServiceRevisions'> {
  if (service.status === 'INACTIVE') return {}
  const primary = deployments.find(({ status }) => status === 'PRIMARY')
  const driven = view.find('serviceDeployment', primary?.serviceDeploymentArn ?? '')
  const newestFirst = deployments.toSorted((one, other) => other.createdAt - one.createdAt)
  const arns = [primary, ...newestFirst].flatMap((deployment) => deployment?.serviceRevisionArn ?? [])
  return {
    ...(driven && driven.status !== 'PENDING' && { currentServiceDeployment: driven.serviceDeploymentArn }),
    ...(arns.length > 0 && {
      currentServiceRevisions: [...new Set(arns)].map((arn) =>
        revisionCounts(view, service, deployments, arn),
      ),
    }),
  }
}

const optionalDate = <Name extends string>(name: Name, timeMs: number | undefined) =>
  (timeMs === undefined ? {} : { [name]: new Date(timeMs) }) as { readonly [N in Name]?: Date }

export function showServiceDeployment(view: View, row: ServiceDeployment): ServiceDeploymentShape {
  const { target, sources, failureCount, threshold, deploymentConfiguration } = progressOf(view, row)
  const { rollback } = row
  return {
    serviceDeploymentArn: row.serviceDeploymentArn,
    serviceArn: row.serviceArn,
    clusterArn: row.clusterArn,
    createdAt: new Date(row.createdAt),
    ...optionalDate('startedAt', row.startedAt),
    ...optionalDate('finishedAt', row.finishedAt),
    ...optionalDate('stoppedAt', row.stoppedAt),
    updatedAt: new Date(row.updatedAt),
    sourceServiceRevisions: [...sources],
    targetServiceRevision: target,
    status: row.status,
    ...(row.statusReason !== undefined && { statusReason: row.statusReason }),
    deploymentConfiguration,
    ...(rollback && {
      rollback: {
        reason: rollback.reason,
        startedAt: new Date(rollback.startedAt),
        ...(rollback.serviceRevisionArn !== undefined && { serviceRevisionArn: rollback.serviceRevisionArn }),
      },
    }),
    deploymentCircuitBreaker: {
      status: breakerStatus(row, deploymentConfiguration.deploymentCircuitBreaker?.enable === true),
      failureCount,
      threshold,
    },
    alarms: alarmsOf(row, deploymentConfiguration),
    ...(row.lifecycle && showLifecycle(row.lifecycle)),
  }
}

function showLifecycle(
  lifecycle: Lifecycle,
): Pick<ServiceDeploymentShape, 'lifecycleStage' | 'lifecycleHookDetails'> {
  const { stage, hooks, plan } = lifecycle
  return {
    // AWS documents the stage before each shift of production traffic, but has it not among the values of the type.
    lifecycleStage: stage as ServiceDeploymentLifecycleStage,
    ...(hooks.length > 0 && {
      lifecycleHookDetails: hooks.map((run) => {
        const { targetType = 'AWS_LAMBDA', hookTargetArn } = plan.hooks[run.hook] ?? {}
        return {
          hookId: run.hookId,
          targetType,
          ...(hookTargetArn !== undefined && { targetArn: hookTargetArn }),
          status: run.status,
          expiresAt: new Date(run.expiresAt),
          timeoutAction: timeoutActionOf(lifecycle, run),
        }
      }),
    }),
  }
}

function alarmsOf(row: ServiceDeployment, { alarms }: DeploymentConfiguration): ServiceDeploymentAlarms {
  const triggered = row.alarms?.triggered ?? []
  const status = triggered.length > 0 ? 'TRIGGERED' : isFinished(row) ? 'MONITORING_COMPLETE' : 'MONITORING'
  if (!alarms?.enable) return { status: 'DISABLED' }
  return { status, alarmNames: [...(alarms.alarmNames ?? [])], triggeredAlarmNames: [...triggered] }
}

function breakerStatus(
  row: ServiceDeployment,
  enabled: boolean,
): 'DISABLED' | 'MONITORING' | 'MONITORING_COMPLETE' | 'TRIGGERED' {
  if (row.circuitBroken) return 'TRIGGERED'
  if (!enabled) return 'DISABLED'
  return isFinished(row) ? 'MONITORING_COMPLETE' : 'MONITORING'
}

export function showServiceDeploymentBrief(row: ServiceDeployment): ServiceDeploymentBrief {
  return {
    serviceDeploymentArn: row.serviceDeploymentArn,
    serviceArn: row.serviceArn,
    clusterArn: row.clusterArn,
    ...optionalDate('startedAt', row.startedAt),
    createdAt: new Date(row.createdAt),
    ...optionalDate('finishedAt', row.finishedAt),
    targetServiceRevisionArn: row.targetServiceRevisionArn,
    status: row.status,
    ...(row.statusReason !== undefined && { statusReason: row.statusReason }),
  }
}

export function showServiceRevision(row: ServiceRevision): ServiceRevisionShape {
  const { capacityProviderStrategy, launchType, loadBalancers, serviceRegistries } = row
  const { networkConfiguration, serviceConnectConfiguration, volumeConfigurations } = row
  const byStrategy = capacityProviderStrategy !== undefined && capacityProviderStrategy.length > 0
  return {
    serviceRevisionArn: row.serviceRevisionArn,
    serviceArn: row.serviceArn,
    clusterArn: row.clusterArn,
    taskDefinition: row.taskDefinitionArn,
    ...(byStrategy && { capacityProviderStrategy: [...capacityProviderStrategy] }),
    ...(!byStrategy && launchType !== undefined && { launchType }),
    ...platformOf(row),
    ...(loadBalancers.length > 0 && { loadBalancers: [...loadBalancers] }),
    ...(serviceRegistries.length > 0 && { serviceRegistries: [...serviceRegistries] }),
    ...(networkConfiguration && { networkConfiguration }),
    containerImages: row.containerImages.map((image) => ({ ...image })),
    guardDutyEnabled: false,
    ...(serviceConnectConfiguration && { serviceConnectConfiguration }),
    ...(volumeConfigurations && { volumeConfigurations: [...volumeConfigurations] }),
    createdAt: new Date(row.createdAt),
  }
}

/** For AWS Fargate only, and the version that LATEST was. */
function platformOf({
  platformFamily,
  platformVersion = 'LATEST',
}: ServiceRevision): Pick<ServiceRevisionShape, 'platformFamily' | 'platformVersion'> {
  if (platformFamily === undefined) return {}
  const { latest } = platformFamily === 'Linux' ? platforms.linux : platforms.windows
  return { platformVersion: platformVersion === 'LATEST' ? latest : platformVersion, platformFamily }
}
