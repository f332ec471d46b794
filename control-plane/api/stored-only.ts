/** A parameter that is kept and shown again, but has no effect. */
export interface StoredOnly {
  readonly service: string
  readonly operation: string
  /** Its path in the input: `containerDefinitions[].dockerSecurityOptions`. */
  readonly parameter: string
  readonly note: string
}

const ecs = (operation: string, parameter: string, note: string): StoredOnly => ({
  service: 'ecs',
  operation,
  parameter,
  note,
})

const ecr = (operation: string, parameter: string, note: string): StoredOnly => ({
  service: 'ecr',
  operation,
  parameter,
  note,
})

const ec2 = (operation: string, parameter: string, note: string): StoredOnly => ({
  service: 'ec2',
  operation,
  parameter,
  note,
})

/** Everything accepted that does nothing, for docs/compatibility.md. */
export const storedOnly: readonly StoredOnly[] = [
  ecs(
    'CreateCluster',
    'configuration.managedStorageConfiguration',
    'no storage of Berth is encrypted with a key of yours',
  ),
  ecs('CreateCluster', 'serviceConnectDefaults', 'no service takes a default namespace'),
  ecs('CreateCluster', 'settings', 'Container Insights collects nothing'),
  ecs(
    'UpdateCluster',
    'configuration.managedStorageConfiguration',
    'no storage of Berth is encrypted with a key of yours',
  ),
  ecs('UpdateCluster', 'serviceConnectDefaults', 'no service takes a default namespace'),
  ecs('UpdateCluster', 'settings', 'Container Insights collects nothing'),
  ecs('UpdateClusterSettings', 'settings', 'Container Insights collects nothing'),
  ecs(
    'PutAccountSetting',
    'value',
    'containerInsights is the default of new clusters; the other settings have no effect',
  ),
  ecs(
    'PutAccountSettingDefault',
    'value',
    'containerInsights is the default of new clusters; the other settings have no effect',
  ),
  ecs(
    'RegisterContainerInstance',
    'instanceIdentityDocumentSignature',
    "the document is believed; of Berth's own instances its row is",
  ),
  ...['CreateCluster', 'UpdateCluster'].map((operation) =>
    ecs(operation, 'configuration.executeCommandConfiguration', 'ExecuteCommand is not there yet'),
  ),
  ...['CreateCluster', 'PutClusterCapacityProviders'].flatMap((operation) =>
    ['capacityProviders', 'defaultCapacityProviderStrategy'].map((parameter) =>
      ecs(operation, parameter, 'tasks and services that would be started by a strategy are refused'),
    ),
  ),
  ecs('RegisterContainerInstance', 'platformDevices', 'devices that are not GPUs are not counted; not kept'),
  ecs('SubmitTaskStateChange', 'managedAgents', 'ExecuteCommand is not there yet; not kept'),
  ecs('SubmitTaskStateChange', 'attachments', 'no network interface is ever attached; not kept'),
  ...['taskRoleArn', 'executionRoleArn'].flatMap((parameter) => [
    ecs(
      'RegisterTaskDefinition',
      parameter,
      'tasks get no credentials; the instance pulls images with its own',
    ),
    ...['RunTask', 'StartTask'].map((operation) =>
      ecs(operation, `overrides.${parameter}`, 'tasks get no credentials'),
    ),
  ]),
  ...['name', 'appProtocol'].map((member) =>
    ecs(
      'RegisterTaskDefinition',
      `containerDefinitions[].portMappings[].${member}`,
      'for Service Connect, which is not there yet',
    ),
  ),
  ecs(
    'RegisterTaskDefinition',
    'containerDefinitions[].versionConsistency',
    'images are pulled by the tag as written',
  ),
  ...['RunTask', 'StartTask', 'CreateService', 'UpdateService'].map((operation) =>
    ecs(operation, 'enableExecuteCommand', 'ExecuteCommand is not there yet'),
  ),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(operation, 'referenceId', 'taken and not shown, as AWS does'),
  ),
  ...['CreateService', 'UpdateService'].map((operation) =>
    ecs(operation, 'availabilityZoneRebalancing', 'tasks are spread when they start and not moved later'),
  ),
  ecs('CreateService', 'role', 'there is no load balancer that it would be used for'),
  ecr('CreateRepository', 'encryptionConfiguration', 'images are kept as they are, not encrypted'),
  ecr('CreateRepository', 'imageScanningConfiguration', 'images are not scanned'),
  ec2('RunInstances', 'AdditionalInfo', 'reserved by AWS; not kept'),
  ec2('RunInstances', 'CreditSpecification', 'instances have their whole CPU always; not kept'),
  ec2('RunInstances', 'EbsOptimized', 'there are no volumes; shown as false'),
  ec2('RunInstances', 'IamInstanceProfile', 'every instance acts in the role ecsInstanceRole'),
  ec2('RunInstances', 'ImageId', 'instances of every image are the same: Docker and the agent'),
  ec2('RunInstances', 'InstanceInitiatedShutdownBehavior', 'an instance cannot shut itself down; not kept'),
  ec2('RunInstances', 'KeyName', 'shown, also in instance metadata; nobody logs in'),
  ec2('RunInstances', 'MaintenanceOptions', 'an instance that ends is always booted again; not kept'),
  ec2('RunInstances', 'MetadataOptions.HttpPutResponseHopLimit', 'not enforced: containers are served too'),
  ec2('RunInstances', 'Monitoring', 'no metrics are collected; shown as disabled'),
  ec2('RunInstances', 'NetworkInterfaces[].Description', 'not kept'),
  ec2('RunInstances', 'SecurityGroupIds', 'groups filter nothing'),
  ec2('RunInstances', 'SecurityGroups', 'groups filter nothing'),
  ec2('RunInstances', 'TagSpecifications', 'tags for volumes are not kept, as there are no volumes'),
  ec2('RunInstances', 'UserData', 'settings of the ECS agent are read from it; scripts are not run'),
  ec2('StartInstances', 'AdditionalInfo', 'reserved by AWS; not kept'),
  ...['StopInstances', 'TerminateInstances'].flatMap((operation) =>
    ['Force', 'SkipOsShutdown'].map((parameter) =>
      ec2(operation, parameter, 'containers have ten seconds to end by themselves always'),
    ),
  ),
]
