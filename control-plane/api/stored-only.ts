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
]
