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
import { permissions } from './permissions.ts'
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
  ContinueServiceDeployment: { ...continueServiceDeployment, ...permissions.ContinueServiceDeployment },
  CreateCapacityProvider: { ...createCapacityProvider, ...permissions.CreateCapacityProvider },
  CreateCluster: { ...createCluster, ...permissions.CreateCluster },
  CreateDaemon: createDaemon,
  CreateExpressGatewayService: notImplemented,
  CreateGateway: notImplemented,
  CreateService: { ...createService, ...permissions.CreateService },
  CreateTaskSet: { ...createTaskSet, ...permissions.CreateTaskSet },
  DeleteAccountSetting: { ...deleteAccountSetting, ...permissions.DeleteAccountSetting },
  DeleteAttributes: { ...deleteAttributes, ...permissions.DeleteAttributes },
  DeleteCapacityProvider: deleteCapacityProvider,
  DeleteCluster: deleteCluster,
  DeleteDaemon: deleteDaemon,
  DeleteDaemonTaskDefinition: deleteDaemonTaskDefinition,
  DeleteExpressGatewayService: notImplemented,
  DeleteGateway: notImplemented,
  DeleteService: { ...deleteService, ...permissions.DeleteService },
  DeleteTaskDefinitions: deleteTaskDefinitions,
  DeleteTaskSet: { ...deleteTaskSet, ...permissions.DeleteTaskSet },
  DeregisterContainerInstance: deregisterContainerInstance,
  DeregisterTaskDefinition: deregisterTaskDefinition,
  DescribeCapacityProviders: describeCapacityProviders,
  DescribeClusters: describeClusters,
  DescribeContainerInstances: { ...describeContainerInstances, ...permissions.DescribeContainerInstances },
  DescribeDaemon: describeDaemon,
  DescribeDaemonDeployments: describeDaemonDeployments,
  DescribeDaemonRevisions: describeDaemonRevisions,
  DescribeDaemonTaskDefinition: describeDaemonTaskDefinition,
  DescribeExpressGatewayService: notImplemented,
  DescribeGateway: notImplemented,
  DescribeGatewayResources: notImplemented,
  DescribeGatewayRoute: notImplemented,
  DescribeServiceDeployments: { ...describeServiceDeployments, ...permissions.DescribeServiceDeployments },
  DescribeServiceRevisions: { ...describeServiceRevisions, ...permissions.DescribeServiceRevisions },
  DescribeServices: { ...describeServices, ...permissions.DescribeServices },
  DescribeTaskDefinition: describeTaskDefinition,
  DescribeTaskSets: { ...describeTaskSets, ...permissions.DescribeTaskSets },
  DescribeTasks: { ...describeTasks, ...permissions.DescribeTasks },
  DisassociateGatewayFromCluster: notImplemented,
  DiscoverPollEndpoint: discoverPollEndpoint,
  ExecuteCommand: { ...executeCommand, ...permissions.ExecuteCommand },
  GetTaskProtection: { ...getTaskProtection, ...permissions.GetTaskProtection },
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
  ListServiceDeployments: { ...listServiceDeployments, ...permissions.ListServiceDeployments },
  ListServices: { ...listServices, ...permissions.ListServices },
  ListServicesByNamespace: { ...listServicesByNamespace, ...permissions.ListServicesByNamespace },
  ListTagsForResource: listTagsForResource,
  ListTaskDefinitionFamilies: listTaskDefinitionFamilies,
  ListTaskDefinitions: listTaskDefinitions,
  ListTasks: { ...listTasks, ...permissions.ListTasks },
  PutAccountSetting: { ...putAccountSetting, ...permissions.PutAccountSetting },
  PutAccountSettingDefault: { ...putAccountSettingDefault, ...permissions.PutAccountSettingDefault },
  PutAttributes: { ...putAttributes, ...permissions.PutAttributes },
  PutClusterCapacityProviders: { ...putClusterCapacityProviders, ...permissions.PutClusterCapacityProviders },
  RegisterContainerInstance: { ...registerContainerInstance, ...permissions.RegisterContainerInstance },
  RegisterDaemonTaskDefinition: registerDaemonTaskDefinition,
  RegisterTaskDefinition: { ...registerTaskDefinition, ...permissions.RegisterTaskDefinition },
  RunTask: { ...runTask, ...permissions.RunTask },
  StartTask: { ...startTask, ...permissions.StartTask },
  StopServiceDeployment: { ...stopServiceDeployment, ...permissions.StopServiceDeployment },
  StopTask: { ...stopTask, ...permissions.StopTask },
  SubmitAttachmentStateChanges: submitAttachmentStateChanges,
  SubmitContainerStateChange: submitContainerStateChange,
  SubmitTaskStateChange: submitTaskStateChange,
  TagResource: { ...tagResource, ...permissions.TagResource },
  UntagResource: { ...untagResource, ...permissions.UntagResource },
  UpdateCapacityProvider: updateCapacityProvider,
  UpdateCluster: updateCluster,
  UpdateClusterSettings: updateClusterSettings,
  UpdateContainerAgent: { ...updateContainerAgent, ...permissions.UpdateContainerAgent },
  UpdateContainerInstancesState: {
    ...updateContainerInstancesState,
    ...permissions.UpdateContainerInstancesState,
  },
  UpdateDaemon: updateDaemon,
  UpdateExpressGatewayService: notImplemented,
  UpdateGateway: notImplemented,
  UpdateService: { ...updateService, ...permissions.UpdateService },
  UpdateServicePrimaryTaskSet: { ...updateServicePrimaryTaskSet, ...permissions.UpdateServicePrimaryTaskSet },
  UpdateTaskProtection: { ...updateTaskProtection, ...permissions.UpdateTaskProtection },
  UpdateTaskSet: { ...updateTaskSet, ...permissions.UpdateTaskSet },
}
