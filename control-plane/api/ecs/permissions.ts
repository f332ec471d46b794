/**
 * What policies may ask of ECS's operations beside their resources, and what callers must be allowed besides: to pass the
 * roles they name, and to tag what they make.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
 */
import type * as ECS from '@aws-sdk/client-ecs'
import type { ConditionKeys, Context, Permission } from '#api/operation.ts'
import { capacityProviderArn } from '#domain/capacity-provider.ts'
import { cpuUnitsOf, memoryMiBOf } from '#domain/task-definition.ts'
import { effectiveSetting } from './account-setting.ts'
import { clusterArnOf, findCluster, findTaskDefinition } from './resolve.ts'

type Tags = readonly ECS.Tag[] | undefined

const text = (value: boolean | number | undefined): string | undefined =>
  value === undefined ? undefined : String(value)

function tagKeys(tags: Tags): ConditionKeys {
  if (!tags?.length) return {}
  return {
    'aws:TagKeys': tags.map(({ key = '' }) => key),
    ...Object.fromEntries(tags.map(({ key = '', value = '' }) => [`aws:RequestTag/${key}`, value])),
  }
}

const inCluster = (
  context: Context,
  { cluster }: { readonly cluster?: string | undefined },
): ConditionKeys => ({
  'ecs:cluster': clusterArnOf(context, cluster),
})

function providers(
  { scope }: Context,
  strategy: readonly ECS.CapacityProviderStrategyItem[] | undefined,
): ConditionKeys {
  if (!strategy?.length) return {}
  return {
    'ecs:capacity-provider': strategy.map(({ capacityProvider = '' }) =>
      capacityProviderArn(scope, capacityProvider),
    ),
  }
}

type Sizes = { readonly cpu?: string | undefined; readonly memory?: string | undefined }

/** CPU in units and memory in MiB, as policies compare them. */
const sizes = ({ cpu, memory }: Sizes): ConditionKeys => ({
  'ecs:task-cpu': cpu === undefined ? undefined : text(cpuUnitsOf(cpu)),
  'ecs:task-memory': memory === undefined ? undefined : text(memoryMiBOf(memory)),
})

/** Tagging what is made needs a permission of its own, unless the account has chosen otherwise. */
function tagging(context: Context, createAction: string, arn: string, tags: Tags): readonly Permission[] {
  if (!tags?.length || effectiveSetting(context, 'tagResourceAuthorization') !== 'on') return []
  const conditions = { ...tagKeys(tags), 'ecs:CreateAction': createAction }
  return [{ action: 'ecs:TagResource', resource: arn, conditions }]
}

/** `iam:PassRole` for each role that is named. */
function passing(
  { scope }: Context,
  roles: readonly (string | undefined)[],
  service = 'ecs-tasks.amazonaws.com',
): readonly Permission[] {
  return [...new Set(roles)].flatMap((role): Permission[] =>
    role === undefined || role === ''
      ? []
      : [
          {
            action: 'iam:PassRole',
            resource: role.startsWith('arn:') ? role : `arn:aws:iam::${scope.accountId}:role/${role}`,
            conditions: { 'iam:PassedToService': service },
          },
        ],
  )
}

const ofTask = ({ scope }: Context, cluster: string): string =>
  `arn:aws:ecs:${scope.region}:${scope.accountId}:task/${cluster}/*`

type Launch = Pick<ECS.RunTaskRequest, 'cluster' | 'overrides' | 'tags' | 'taskDefinition'>

/** The roles of the task definition are passed too, unless others are given in their place. */
function launching(context: Context, createAction: string, input: Launch): readonly Permission[] {
  const definition = findTaskDefinition(context.store, context, input.taskDefinition ?? '')
  const cluster = findCluster(context.store, context, input.cluster)?.clusterName ?? '*'
  const { taskRoleArn, executionRoleArn } = { ...definition, ...given(input.overrides) }
  return [
    ...passing(context, [taskRoleArn, executionRoleArn]),
    ...tagging(context, createAction, ofTask(context, cluster), input.tags),
  ]
}

function given(overrides: ECS.TaskOverride | undefined): {
  readonly taskRoleArn?: string
  readonly executionRoleArn?: string
} {
  const { taskRoleArn, executionRoleArn } = overrides ?? {}
  return {
    ...(taskRoleArn !== undefined && { taskRoleArn }),
    ...(executionRoleArn !== undefined && { executionRoleArn }),
  }
}

const runTask = {
  conditions: (context: Context, input: ECS.RunTaskRequest): ConditionKeys => ({
    ...inCluster(context, input),
    ...providers(context, input.capacityProviderStrategy),
    ...tagKeys(input.tags),
    'ecs:enable-execute-command': text(input.enableExecuteCommand ?? false),
    'ecs:enable-ebs-volumes': text((input.volumeConfigurations ?? []).length > 0),
  }),
  further: (context: Context, input: ECS.RunTaskRequest) => launching(context, 'RunTask', input),
}

const startTask = {
  conditions: (context: Context, input: ECS.StartTaskRequest): ConditionKeys => ({
    ...inCluster(context, input),
    ...tagKeys(input.tags),
    'ecs:container-instances': input.containerInstances?.map((ref) =>
      ref.startsWith('arn:')
        ? ref
        : clusterArnOf(context, input.cluster).replace(':cluster/', ':container-instance/') + `/${ref}`,
    ),
    'ecs:enable-execute-command': text(input.enableExecuteCommand ?? false),
    'ecs:enable-ebs-volumes': text((input.volumeConfigurations ?? []).length > 0),
  }),
  further: (context: Context, input: ECS.StartTaskRequest) => launching(context, 'StartTask', input),
}

type ServiceInput = ECS.CreateServiceRequest | ECS.UpdateServiceRequest

function serviceConditions(context: Context, input: ServiceInput): ConditionKeys {
  const { taskDefinition: ref, networkConfiguration, serviceConnectConfiguration: connect } = input
  const definition = ref === undefined ? undefined : findTaskDefinition(context.store, context, ref)
  const awsvpc = networkConfiguration?.awsvpcConfiguration
  return {
    ...inCluster(context, input),
    ...providers(context, input.capacityProviderStrategy),
    ...(definition && sizes(definition)),
    ...('tags' in input && tagKeys(input.tags)),
    'ecs:task-definition': definition?.taskDefinitionArn,
    'ecs:subnet': awsvpc?.subnets,
    'ecs:auto-assign-public-ip': awsvpc && text(awsvpc.assignPublicIp === 'ENABLED'),
    'ecs:namespace': connect?.namespace,
    'ecs:enable-execute-command': text(input.enableExecuteCommand),
    'ecs:enable-service-connect': text(connect?.enabled),
    'ecs:enable-ebs-volumes': text((input.volumeConfigurations ?? []).length > 0),
    'ecs:enable-vpc-lattice': text((input.vpcLatticeConfigurations ?? []).length > 0),
    'ecs:enable-ecs-managed-tags': text(input.enableECSManagedTags),
    'ecs:propagate-tags': input.propagateTags,
  }
}

/** The roles with which ECS itself changes load balancers and volumes. */
function serviceRoles(context: Context, input: ServiceInput): readonly Permission[] {
  const own = [
    ...('role' in input ? [input.role] : []),
    ...(input.volumeConfigurations ?? []).map((each) => each.managedEBSVolume?.roleArn),
    ...(input.vpcLatticeConfigurations ?? []).map(({ roleArn }) => roleArn),
    ...(input.loadBalancers ?? []).map((each) => each.advancedConfiguration?.roleArn),
    ...(input.deploymentConfiguration?.lifecycleHooks ?? []).map(({ roleArn }) => roleArn),
  ]
  return passing(context, own, 'ecs.amazonaws.com')
}

const createService = {
  conditions: serviceConditions,
  further: (context: Context, input: ECS.CreateServiceRequest): readonly Permission[] => {
    const cluster = findCluster(context.store, context, input.cluster)?.clusterName ?? '*'
    const { accountId, region } = context.scope
    const arn = `arn:aws:ecs:${region}:${accountId}:service/${cluster}/${input.serviceName}`
    return [...serviceRoles(context, input), ...tagging(context, 'CreateService', arn, input.tags)]
  },
}
const updateService = { conditions: serviceConditions, further: serviceRoles }

const registerTaskDefinition = {
  conditions: (_: Context, input: ECS.RegisterTaskDefinitionRequest): ConditionKeys => ({
    ...sizes(input),
    ...tagKeys(input.tags),
    'ecs:compute-compatibility': input.requiresCompatibilities,
    'ecs:privileged': text((input.containerDefinitions ?? []).some(({ privileged }) => privileged === true)),
  }),
  further: (context: Context, input: ECS.RegisterTaskDefinitionRequest): readonly Permission[] => {
    const { accountId, region } = context.scope
    const arn = `arn:aws:ecs:${region}:${accountId}:task-definition/${input.family}:*`
    return [
      ...passing(context, [input.taskRoleArn, input.executionRoleArn]),
      ...tagging(context, 'RegisterTaskDefinition', arn, input.tags),
    ]
  },
}

const executeCommand = {
  // The cluster and the task: a policy must allow both.
  conditions: (context: Context, input: ECS.ExecuteCommandRequest): ConditionKeys => {
    const task = taskArn(context, input)
    const containers = context.store.find('task', task)?.containers ?? []
    return {
      ...inCluster(context, input),
      'ecs:task': task,
      // Where a task has one container it is meant without being named.
      'ecs:container-name': input.container ?? (containers.length === 1 ? containers[0]?.name : undefined),
    }
  },
  resources: (context: Context, input: ECS.ExecuteCommandRequest): readonly string[] => [
    clusterArnOf(context, input.cluster),
    taskArn(context, input),
  ],
}

function taskArn(context: Context, { cluster, task = '' }: ECS.ExecuteCommandRequest): string {
  return task.startsWith('arn:')
    ? task
    : `${clusterArnOf(context, cluster).replace(':cluster/', ':task/')}/${task}`
}

const createCluster = {
  conditions: ({ scope }: Context, input: ECS.CreateClusterRequest): ConditionKeys => ({
    ...tagKeys(input.tags),
    'ecs:capacity-provider': input.capacityProviders?.map((name) => capacityProviderArn(scope, name)),
    'ecs:fargate-ephemeral-storage-kms-key':
      input.configuration?.managedStorageConfiguration?.fargateEphemeralStorageKmsKeyId,
  }),
  further: (context: Context, input: ECS.CreateClusterRequest): readonly Permission[] =>
    tagging(context, 'CreateCluster', clusterArnOf(context, input.clusterName), input.tags),
}

const registerContainerInstance = {
  conditions: (_: Context, input: ECS.RegisterContainerInstanceRequest): ConditionKeys => tagKeys(input.tags),
  further: (context: Context, input: ECS.RegisterContainerInstanceRequest): readonly Permission[] => {
    const arn = clusterArnOf(context, input.cluster).replace(':cluster/', ':container-instance/')
    return tagging(context, 'RegisterContainerInstance', `${arn}/*`, input.tags)
  },
}

const createCapacityProvider = {
  conditions: (_: Context, input: ECS.CreateCapacityProviderRequest): ConditionKeys => ({
    ...tagKeys(input.tags),
    'ecs:propagate-tags': input.managedInstancesProvider?.propagateTags,
  }),
  further: (context: Context, input: ECS.CreateCapacityProviderRequest): readonly Permission[] => [
    ...passing(context, [input.managedInstancesProvider?.infrastructureRoleArn], 'ecs.amazonaws.com'),
    ...tagging(
      context,
      'CreateCapacityProvider',
      capacityProviderArn(context.scope, input.name ?? ''),
      input.tags,
    ),
  ],
}

/** Of what an ARN of a service's history names: `service-deployment/CLUSTER/SERVICE/ID`. */
function historyConditions(arn: string | undefined): ConditionKeys {
  const [head = '', cluster, service] = (arn ?? '').split('/')
  if (cluster === undefined || service === undefined) return {}
  const prefix = head.slice(0, head.lastIndexOf(':'))
  return {
    'ecs:cluster': `${prefix}:cluster/${cluster}`,
    'ecs:service': `${prefix}:service/${cluster}/${service}`,
  }
}

const taskSet = {
  conditions: (
    context: Context,
    input: { readonly cluster?: string | undefined; readonly service?: string | undefined },
  ): ConditionKeys => ({
    ...inCluster(context, input),
    'ecs:service': input.service?.startsWith('arn:')
      ? input.service
      : `${clusterArnOf(context, input.cluster).replace(':cluster/', ':service/')}/${input.service}`,
  }),
}

const accountSetting = {
  conditions: (_: Context, { name }: { readonly name?: string | undefined }): ConditionKeys => ({
    'ecs:account-setting': name,
  }),
}

const clusterOnly = { conditions: inCluster }

/** By operation; what a row here has takes the place of the operation's own. */
export const permissions = {
  RunTask: runTask,
  StartTask: startTask,
  CreateService: createService,
  UpdateService: updateService,
  RegisterTaskDefinition: registerTaskDefinition,
  ExecuteCommand: executeCommand,
  CreateCluster: createCluster,
  RegisterContainerInstance: registerContainerInstance,
  CreateCapacityProvider: createCapacityProvider,
  PutClusterCapacityProviders: {
    conditions: ({ scope }: Context, input: ECS.PutClusterCapacityProvidersRequest): ConditionKeys => ({
      'ecs:capacity-provider': input.capacityProviders?.map((name) => capacityProviderArn(scope, name)),
    }),
  },
  TagResource: { conditions: (_: Context, { tags }: ECS.TagResourceRequest) => tagKeys(tags) },
  UntagResource: {
    conditions: (_: Context, { tagKeys: keys }: ECS.UntagResourceRequest) => ({ 'aws:TagKeys': keys }),
  },
  CreateTaskSet: taskSet,
  UpdateTaskSet: taskSet,
  DeleteTaskSet: taskSet,
  DescribeTaskSets: taskSet,
  PutAccountSetting: accountSetting,
  PutAccountSettingDefault: accountSetting,
  DeleteAccountSetting: accountSetting,
  ListServicesByNamespace: {
    conditions: (_: Context, { namespace }: ECS.ListServicesByNamespaceRequest): ConditionKeys => ({
      'ecs:namespace': namespace,
    }),
  },
  DescribeServiceDeployments: {
    conditions: (_: Context, input: ECS.DescribeServiceDeploymentsRequest) =>
      historyConditions(input.serviceDeploymentArns?.[0]),
  },
  StopServiceDeployment: {
    conditions: (_: Context, input: ECS.StopServiceDeploymentRequest) =>
      historyConditions(input.serviceDeploymentArn),
  },
  ContinueServiceDeployment: {
    conditions: (_: Context, input: ECS.ContinueServiceDeploymentRequest) =>
      historyConditions(input.serviceDeploymentArn),
  },
  DescribeServiceRevisions: {
    conditions: (_: Context, input: ECS.DescribeServiceRevisionsRequest) =>
      historyConditions(input.serviceRevisionArns?.[0]),
  },
  DeleteAttributes: clusterOnly,
  DeleteService: clusterOnly,
  DescribeContainerInstances: clusterOnly,
  DescribeServices: clusterOnly,
  DescribeTasks: clusterOnly,
  GetTaskProtection: clusterOnly,
  ListServiceDeployments: clusterOnly,
  ListServices: clusterOnly,
  ListTasks: clusterOnly,
  PutAttributes: clusterOnly,
  StopTask: clusterOnly,
  UpdateContainerAgent: clusterOnly,
  UpdateContainerInstancesState: clusterOnly,
  UpdateServicePrimaryTaskSet: clusterOnly,
  UpdateTaskProtection: clusterOnly,
}
