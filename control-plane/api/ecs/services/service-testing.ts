/** Requests that tests of services vary: a service `web` in a cluster `c`, and what can be attached to it. */
import type {
  CreateServiceRequest,
  DeploymentConfiguration,
  LoadBalancer,
  ServiceConnectConfiguration,
} from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import { createService } from './service-create.ts'
import { putTaskDefinition, putSubnet } from '#api/ecs/testing-rows.ts'

/** Creates the service `web` of two tasks of `web:1`, unless the input says otherwise. */
export function createWeb(context: Context, input: Partial<CreateServiceRequest> = {}) {
  return createService.run(context, {
    cluster: 'c',
    serviceName: 'web',
    taskDefinition: 'web:1',
    desiredCount: 2,
    ...input,
  }).service
}

/** Definitions of every kind; `old:1` is INACTIVE, and `disk:1` has a volume that is configured at launch. */
export function putDefinitions(context: Context): void {
  for (const subnetId of ['a', 'subnet-1']) putSubnet(context, subnetId)
  const port = { portMappings: [{ containerPort: 80, name: 'http' }] }
  putTaskDefinition(context, 'web:1', port)
  putTaskDefinition(context, 'old:1', {}, { status: 'INACTIVE' })
  putTaskDefinition(context, 'vpc:1', port, { networkMode: 'awsvpc' })
  putTaskDefinition(context, 'fargate:1', port, {
    networkMode: 'awsvpc',
    compatibilities: ['EC2', 'FARGATE'],
    cpu: '256',
    memory: '512',
  })
  putTaskDefinition(context, 'disk:1', {}, { volumes: [{ name: 'data', configuredAtLaunch: true }] })
}

export const loadBalancer = { containerName: 'app', containerPort: 80, targetGroupArn: 'arn:tg' }
export const daemon: Partial<CreateServiceRequest> = { schedulingStrategy: 'DAEMON', desiredCount: undefined }
export const awsvpcConfiguration = { subnets: ['a'] }
export const vpc: Partial<CreateServiceRequest> = {
  taskDefinition: 'vpc',
  networkConfiguration: { awsvpcConfiguration },
}
export const balanced = (...loadBalancers: LoadBalancer[]): Partial<CreateServiceRequest> => ({
  loadBalancers,
})
export const connect = (
  ...services: NonNullable<ServiceConnectConfiguration['services']>
): Partial<CreateServiceRequest> => ({
  serviceConnectConfiguration: { enabled: true, namespace: 'n', services },
})
export const alias = { port: 80 }
export const deploy = (deploymentConfiguration: DeploymentConfiguration): Partial<CreateServiceRequest> => ({
  deploymentConfiguration,
})
export const external: Partial<CreateServiceRequest> = {
  deploymentController: { type: 'EXTERNAL' },
  taskDefinition: undefined,
}
export const codeDeploy: Partial<CreateServiceRequest> = { deploymentController: { type: 'CODE_DEPLOY' } }
export const breaker = { enable: true, rollback: true }
export const alarms = { enable: true, rollback: true, alarmNames: ['a'] }
export const rule = (id: string): string =>
  `arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/x/${id}`
export const advancedConfiguration = {
  alternateTargetGroupArn: 'arn:green',
  productionListenerRule: rule('1'),
  roleArn: 'arn:aws:iam::000000000000:role/x',
}
export const hook = {
  hookTargetArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
  roleArn: 'arn:aws:iam::000000000000:role/x',
  lifecycleStages: ['PRE_SCALE_UP' as const],
}
export const pause = { targetType: 'PAUSE' as const, lifecycleStages: ['POST_SCALE_UP' as const] }
export const ecsOnly =
  'is only supported with ECS deployment controller. Update to ECS deployment controller and try again.'
