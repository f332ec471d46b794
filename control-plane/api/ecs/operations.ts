import type * as ECS from '@aws-sdk/client-ecs'
import { notImplemented } from '#api/operation.ts'
import type { OperationTable } from '#api/operation-table.ts'
import { runTask } from '#api/ecs/tasks/run-task.ts'
import { createService } from '#api/ecs/services/service-create.ts'
import { updateService } from '#api/ecs/services/service-update.ts'
import {
  continueServiceDeployment,
  describeServiceDeployments,
  listServiceDeployments,
  stopServiceDeployment,
} from '#api/ecs/services/service-deployment.ts'
import { describeServiceRevisions } from '#api/ecs/services/service-revision.ts'
import {
  deleteService,
  describeServices,
  listServices,
  listServicesByNamespace,
} from '#api/ecs/services/service.ts'
import { createTaskSet } from '#api/ecs/services/task-set-create.ts'
import {
  deleteTaskSet,
  describeTaskSets,
  updateServicePrimaryTaskSet,
  updateTaskSet,
} from '#api/ecs/services/task-set.ts'
import { startTask } from '#api/ecs/tasks/start-task.ts'
import {
  submitAttachmentStateChanges,
  submitContainerStateChange,
  submitTaskStateChange,
} from '#api/ecs/instances/submit.ts'
import {
  describeDaemonDeployments,
  describeDaemonRevisions,
  listDaemonDeployments,
} from '#api/ecs/daemons/daemon-deployment.ts'
import {
  deleteDaemonTaskDefinition,
  describeDaemonTaskDefinition,
  listDaemonTaskDefinitions,
  registerDaemonTaskDefinition,
} from '#api/ecs/daemons/daemon-task-definition.ts'
import {
  createDaemon,
  deleteDaemon,
  describeDaemon,
  listDaemons,
  updateDaemon,
} from '#api/ecs/daemons/daemon.ts'
import { executeCommand } from '#api/ecs/tasks/execute-command.ts'
import { listTasks } from '#api/ecs/tasks/task-list.ts'
import { getTaskProtection, updateTaskProtection } from '#api/ecs/tasks/task-protection.ts'
import { describeTasks, stopTask } from '#api/ecs/tasks/task.ts'
import {
  deleteAccountSetting,
  listAccountSettings,
  putAccountSetting,
  putAccountSettingDefault,
} from './account-setting.ts'
import { deleteAttributes, listAttributes, putAttributes } from '#api/ecs/instances/attribute.ts'
import { describeCapacityProviders } from '#api/ecs/capacity/capacity-provider-list.ts'
import {
  createCapacityProvider,
  deleteCapacityProvider,
  updateCapacityProvider,
} from '#api/ecs/capacity/capacity-provider.ts'
import { putClusterCapacityProviders } from '#api/ecs/capacity/cluster-capacity.ts'
import {
  createCluster,
  deleteCluster,
  describeClusters,
  listClusters,
  updateCluster,
  updateClusterSettings,
} from '#api/ecs/capacity/cluster.ts'
import {
  discoverPollEndpoint,
  registerContainerInstance,
} from '#api/ecs/instances/container-instance-registration.ts'
import {
  deregisterContainerInstance,
  describeContainerInstances,
  listContainerInstances,
  updateContainerAgent,
  updateContainerInstancesState,
} from '#api/ecs/instances/container-instance.ts'
import { listTagsForResource, tagResource, untagResource } from './tag.ts'
import {
  listTaskDefinitionFamilies,
  listTaskDefinitions,
} from '#api/ecs/task-definitions/task-definition-list.ts'
import {
  deleteTaskDefinitions,
  deregisterTaskDefinition,
  describeTaskDefinition,
  registerTaskDefinition,
} from '#api/ecs/task-definitions/task-definition.ts'

/** Every operation of Amazon ECS. */
export const operations: OperationTable<typeof ECS> = {
  AssociateGatewayWithCluster: notImplemented,
  ContinueServiceDeployment: continueServiceDeployment,
  CreateCapacityProvider: createCapacityProvider,
  CreateCluster: createCluster,
  CreateDaemon: createDaemon,
  CreateExpressGatewayService: notImplemented,
  CreateGateway: notImplemented,
  CreateService: createService,
  CreateTaskSet: createTaskSet,
  DeleteAccountSetting: deleteAccountSetting,
  DeleteAttributes: deleteAttributes,
  DeleteCapacityProvider: deleteCapacityProvider,
  DeleteCluster: deleteCluster,
  DeleteDaemon: deleteDaemon,
  DeleteDaemonTaskDefinition: deleteDaemonTaskDefinition,
  DeleteExpressGatewayService: notImplemented,
  DeleteGateway: notImplemented,
  DeleteService: deleteService,
  DeleteTaskDefinitions: deleteTaskDefinitions,
  DeleteTaskSet: deleteTaskSet,
  DeregisterContainerInstance: deregisterContainerInstance,
  DeregisterTaskDefinition: deregisterTaskDefinition,
  DescribeCapacityProviders: describeCapacityProviders,
  DescribeClusters: describeClusters,
  DescribeContainerInstances: describeContainerInstances,
  DescribeDaemon: describeDaemon,
  DescribeDaemonDeployments: describeDaemonDeployments,
  DescribeDaemonRevisions: describeDaemonRevisions,
  DescribeDaemonTaskDefinition: describeDaemonTaskDefinition,
  DescribeExpressGatewayService: notImplemented,
  DescribeGateway: notImplemented,
  DescribeGatewayResources: notImplemented,
  DescribeGatewayRoute: notImplemented,
  DescribeServiceDeployments: describeServiceDeployments,
  DescribeServiceRevisions: describeServiceRevisions,
  DescribeServices: describeServices,
  DescribeTaskDefinition: describeTaskDefinition,
  DescribeTaskSets: describeTaskSets,
  DescribeTasks: describeTasks,
  DisassociateGatewayFromCluster: notImplemented,
  DiscoverPollEndpoint: discoverPollEndpoint,
  ExecuteCommand: executeCommand,
  GetTaskProtection: getTaskProtection,
  ListAccountSettings: listAccountSettings,
  ListAttributes: listAttributes,
  ListClusters: listClusters,
  ListContainerInstances: listContainerInstances,
  ListDaemonDeployments: listDaemonDeployments,
  ListDaemonTaskDefinitions: listDaemonTaskDefinitions,
  ListDaemons: listDaemons,
  ListGatewayClusterAssociations: notImplemented,
  ListGatewayRoutes: notImplemented,
  ListGateways: notImplemented,
  ListServiceDeployments: listServiceDeployments,
  ListServices: listServices,
  ListServicesByNamespace: listServicesByNamespace,
  ListTagsForResource: listTagsForResource,
  ListTaskDefinitionFamilies: listTaskDefinitionFamilies,
  ListTaskDefinitions: listTaskDefinitions,
  ListTasks: listTasks,
  PutAccountSetting: putAccountSetting,
  PutAccountSettingDefault: putAccountSettingDefault,
  PutAttributes: putAttributes,
  PutClusterCapacityProviders: putClusterCapacityProviders,
  RegisterContainerInstance: registerContainerInstance,
  RegisterDaemonTaskDefinition: registerDaemonTaskDefinition,
  RegisterTaskDefinition: registerTaskDefinition,
  RunTask: runTask,
  StartTask: startTask,
  StopServiceDeployment: stopServiceDeployment,
  StopTask: stopTask,
  SubmitAttachmentStateChanges: submitAttachmentStateChanges,
  SubmitContainerStateChange: submitContainerStateChange,
  SubmitTaskStateChange: submitTaskStateChange,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateCapacityProvider: updateCapacityProvider,
  UpdateCluster: updateCluster,
  UpdateClusterSettings: updateClusterSettings,
  UpdateContainerAgent: updateContainerAgent,
  UpdateContainerInstancesState: updateContainerInstancesState,
  UpdateDaemon: updateDaemon,
  UpdateExpressGatewayService: notImplemented,
  UpdateGateway: notImplemented,
  UpdateService: updateService,
  UpdateServicePrimaryTaskSet: updateServicePrimaryTaskSet,
  UpdateTaskProtection: updateTaskProtection,
  UpdateTaskSet: updateTaskSet,
}
