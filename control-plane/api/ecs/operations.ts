import type * as ECS from '@aws-sdk/client-ecs'
import { notImplemented } from '#api/operation.ts'
import type { OperationTable } from '#api/operation-table.ts'
import { runTask } from './run-task.ts'
import { createService } from './service-create.ts'
import { updateService } from './service-update.ts'
import { deleteService, describeServices, listServices } from './service.ts'
import { startTask } from './start-task.ts'
import { submitAttachmentStateChanges, submitContainerStateChange, submitTaskStateChange } from './submit.ts'
import { describeTasks, listTasks, stopTask } from './task.ts'
import {
  deleteAccountSetting,
  listAccountSettings,
  putAccountSetting,
  putAccountSettingDefault,
} from './account-setting.ts'
import { deleteAttributes, listAttributes, putAttributes } from './attribute.ts'
import { putClusterCapacityProviders } from './cluster-capacity.ts'
import {
  createCluster,
  deleteCluster,
  describeClusters,
  listClusters,
  updateCluster,
  updateClusterSettings,
} from './cluster.ts'
import { discoverPollEndpoint, registerContainerInstance } from './container-instance-registration.ts'
import {
  deregisterContainerInstance,
  describeContainerInstances,
  listContainerInstances,
  updateContainerAgent,
  updateContainerInstancesState,
} from './container-instance.ts'
import { listTagsForResource, tagResource, untagResource } from './tag.ts'
import { listTaskDefinitionFamilies, listTaskDefinitions } from './task-definition-list.ts'
import {
  deleteTaskDefinitions,
  deregisterTaskDefinition,
  describeTaskDefinition,
  registerTaskDefinition,
} from './task-definition.ts'

/** Every operation of Amazon ECS. */
export const operations: OperationTable<typeof ECS> = {
  AssociateGatewayWithCluster: notImplemented,
  ContinueServiceDeployment: notImplemented,
  CreateCapacityProvider: notImplemented,
  CreateCluster: createCluster,
  CreateDaemon: notImplemented,
  CreateExpressGatewayService: notImplemented,
  CreateGateway: notImplemented,
  CreateService: createService,
  CreateTaskSet: notImplemented,
  DeleteAccountSetting: deleteAccountSetting,
  DeleteAttributes: deleteAttributes,
  DeleteCapacityProvider: notImplemented,
  DeleteCluster: deleteCluster,
  DeleteDaemon: notImplemented,
  DeleteDaemonTaskDefinition: notImplemented,
  DeleteExpressGatewayService: notImplemented,
  DeleteGateway: notImplemented,
  DeleteService: deleteService,
  DeleteTaskDefinitions: deleteTaskDefinitions,
  DeleteTaskSet: notImplemented,
  DeregisterContainerInstance: deregisterContainerInstance,
  DeregisterTaskDefinition: deregisterTaskDefinition,
  DescribeCapacityProviders: notImplemented,
  DescribeClusters: describeClusters,
  DescribeContainerInstances: describeContainerInstances,
  DescribeDaemon: notImplemented,
  DescribeDaemonDeployments: notImplemented,
  DescribeDaemonRevisions: notImplemented,
  DescribeDaemonTaskDefinition: notImplemented,
  DescribeExpressGatewayService: notImplemented,
  DescribeGateway: notImplemented,
  DescribeGatewayResources: notImplemented,
  DescribeGatewayRoute: notImplemented,
  DescribeServiceDeployments: notImplemented,
  DescribeServiceRevisions: notImplemented,
  DescribeServices: describeServices,
  DescribeTaskDefinition: describeTaskDefinition,
  DescribeTaskSets: notImplemented,
  DescribeTasks: describeTasks,
  DisassociateGatewayFromCluster: notImplemented,
  DiscoverPollEndpoint: discoverPollEndpoint,
  ExecuteCommand: notImplemented,
  GetTaskProtection: notImplemented,
  ListAccountSettings: listAccountSettings,
  ListAttributes: listAttributes,
  ListClusters: listClusters,
  ListContainerInstances: listContainerInstances,
  ListDaemonDeployments: notImplemented,
  ListDaemonTaskDefinitions: notImplemented,
  ListDaemons: notImplemented,
  ListGatewayClusterAssociations: notImplemented,
  ListGatewayRoutes: notImplemented,
  ListGateways: notImplemented,
  ListServiceDeployments: notImplemented,
  ListServices: listServices,
  ListServicesByNamespace: notImplemented,
  ListTagsForResource: listTagsForResource,
  ListTaskDefinitionFamilies: listTaskDefinitionFamilies,
  ListTaskDefinitions: listTaskDefinitions,
  ListTasks: listTasks,
  PutAccountSetting: putAccountSetting,
  PutAccountSettingDefault: putAccountSettingDefault,
  PutAttributes: putAttributes,
  PutClusterCapacityProviders: putClusterCapacityProviders,
  RegisterContainerInstance: registerContainerInstance,
  RegisterDaemonTaskDefinition: notImplemented,
  RegisterTaskDefinition: registerTaskDefinition,
  RunTask: runTask,
  StartTask: startTask,
  StopServiceDeployment: notImplemented,
  StopTask: stopTask,
  SubmitAttachmentStateChanges: submitAttachmentStateChanges,
  SubmitContainerStateChange: submitContainerStateChange,
  SubmitTaskStateChange: submitTaskStateChange,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateCapacityProvider: notImplemented,
  UpdateCluster: updateCluster,
  UpdateClusterSettings: updateClusterSettings,
  UpdateContainerAgent: updateContainerAgent,
  UpdateContainerInstancesState: updateContainerInstancesState,
  UpdateDaemon: notImplemented,
  UpdateExpressGatewayService: notImplemented,
  UpdateGateway: notImplemented,
  UpdateService: updateService,
  UpdateServicePrimaryTaskSet: notImplemented,
  UpdateTaskProtection: notImplemented,
  UpdateTaskSet: notImplemented,
}
