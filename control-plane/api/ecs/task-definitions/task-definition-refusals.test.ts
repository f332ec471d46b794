/** What RegisterTaskDefinition refuses on every launch type: AWS's words where they are known. */
import type { PortMapping, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { app, minimal, role, two, withApp, withVolume } from './task-definition-testing.ts'
import { registerTaskDefinition } from './task-definition.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

type Refusals = ReadonlyArray<[message: string, input: RegisterTaskDefinitionRequest]>

const ports = (...portMappings: PortMapping[]) => withApp({ portMappings })
const awsvpc = { networkMode: 'awsvpc' } as const
const healthCheck = { command: ['CMD', 'true'] }
const bucketFile = { type: 's3', value: 'arn:aws:s3:::bucket/a.env' } as const
const secret = (valueFrom: string) => ({ secrets: [{ name: 'S', valueFrom }] })
const parameter = secret('arn:aws:ssm:us-east-1:000000000000:parameter/s')
const efs = (more: object): RegisterTaskDefinitionRequest =>
  withVolume({ efsVolumeConfiguration: { fileSystemId: 'fs-1', ...more } })
const s3files = { fileSystemArn: 'arn:aws:s3files:us-east-1:000000000000:file-system/fs-1' }
const network = 'is not supported on container when networkMode=awsvpc.'

const taskLevel: Refusals = [
  ['Family can not be blank.', { ...minimal, family: '' }],
  ['Family contains invalid characters.', { ...minimal, family: 'a b' }],
  ['Family contains invalid characters.', { ...minimal, family: 'f'.repeat(256) }],
  ['Container list cannot be empty.', { ...minimal, containerDefinitions: [] }],
  ['Container list cannot be empty.', { family: 'f', containerDefinitions: undefined }],
  ['Too many containers.', { ...minimal, containerDefinitions: Array(11).fill(app) }],
  ['Tags can not be empty.', { ...minimal, tags: [] }],
  ["Unsupported field 'inferenceAccelerators'.", { ...minimal, inferenceAccelerators: [] }],
  ["Invalid 'cpu' setting for task.", { ...minimal, cpu: 'much' }],
  ["Invalid 'cpu' setting for task.", { ...minimal, cpu: '' }],
  ["Invalid 'cpu' setting for task.", { ...minimal, cpu: '127' }],
  ["Invalid 'cpu' setting for task.", { ...minimal, cpu: '196609' }],
  ["Invalid 'cpu' setting for task.", { ...minimal, cpu: '1 GB' }],
  ["Invalid 'memory' setting for task.", { ...minimal, memory: '1 TB' }],
  ["Invalid 'memory' setting for task.", { ...minimal, memory: '0' }],
  ["Invalid 'memory' setting for task.", { ...minimal, memory: '' }],
  ['Role is not valid', { ...minimal, taskRoleArn: 'arn:aws:s3:::bucket' }],
  ['Role is not valid', { ...minimal, executionRoleArn: 'arn:aws:iam::000000000000:user/ann' }],
  [
    'MOON is not a valid launch type. Must be one of [EC2,EXTERNAL,FARGATE,MANAGED_INSTANCES]',
    { ...minimal, requiresCompatibilities: ['MOON' as 'EC2'] },
  ],
  [
    'nat is not a valid network mode. Must be one of [bridge,host,awsvpc,none]',
    { ...minimal, networkMode: 'nat' as 'host' },
  ],
  [
    'WINDOWS_SERVER_2022_CORE is not supported on the CPU architecture ARM64.',
    {
      ...minimal,
      runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' },
    },
  ],
  ['pod is not a valid pid mode. Must be one of [host,task]', { ...minimal, pidMode: 'pod' as 'task' }],
  ['pod is not a valid ipc mode. Must be one of [host,task,none]', { ...minimal, ipcMode: 'pod' as 'task' }],
  ["Task definition doesn't have any essential container.", two({ essential: false }, { essential: false })],
  ['Container names must be unique within a task definition', two({ name: 'b' })],
  ["The 'memory' setting for container 'app' is greater than for the task.", { ...minimal, memory: '32' }],
  [
    "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
    two({ cpu: 200 }, { cpu: 57 }, { cpu: '256' }),
  ],
  [
    'APPMESH proxy configuration is only supported in networkMode=awsvpc',
    { ...minimal, proxyConfiguration: { containerName: 'app' } },
  ],
  [
    'Proxy container [envoy] does not exist',
    { ...minimal, ...awsvpc, proxyConfiguration: { containerName: 'envoy' } },
  ],
  [
    'Ingress port not found',
    {
      ...minimal,
      ...awsvpc,
      proxyConfiguration: { containerName: 'app', properties: [{ name: 'AppPorts', value: '80' }] },
    },
  ],
  [
    'Maximum number of constraints is 10.',
    {
      ...minimal,
      placementConstraints: Array(11).fill({ type: 'memberOf', expression: 'attribute:a exists' }),
    },
  ],
]

const containerLevel: Refusals = [
  ['Container.image should not be null or empty.', withApp({ image: '' })],
  ['Container.image contains invalid characters.', withApp({ image: 'busybox ' })],
  ['Container.image contains invalid characters.', withApp({ image: '$IMAGE' })],
  ['Container.image contains invalid characters.', withApp({ image: 'i'.repeat(256) })],
  ['Container.name should not be null or empty.', withApp({ name: '' })],
  ['Container.name contains invalid characters.', withApp({ name: 'a b' })],
  [
    "Invalid setting for container 'x'. At least one of 'memory' or 'memoryReservation' must be specified.",
    { ...minimal, containerDefinitions: [{ name: 'x', image: 'busybox' }] },
  ],
  [
    "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
    withApp({ memoryReservation: 65 }),
  ],
  ["Invalid 'links' setting. Unknown container: 'nope'", withApp({ links: ['nope:db'] })],
  ['Container links should not have a cycle', two({ links: ['b'] }, { links: ['app'] })],
  [
    "Cannot depend on container + 'nope' because it does not exist",
    withApp({ dependsOn: [{ containerName: 'nope', condition: 'START' }] }),
  ],
  [
    'A dependency container with HEALTHY condition must have health check configured',
    two({ dependsOn: [{ containerName: 'b', condition: 'HEALTHY' }] }),
  ],
  [
    'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container',
    two({ dependsOn: [{ containerName: 'b', condition: 'COMPLETE' }] }),
  ],
  [
    'Container dependencies form a cycle: app, b',
    two(
      { dependsOn: [{ containerName: 'b', condition: 'START' }] },
      { dependsOn: [{ containerName: 'app', condition: 'START' }] },
    ),
  ],
  [
    'Soft limit exceeds hard limit for ulimit nofile',
    withApp({ ulimits: [{ name: 'nofile', softLimit: 2, hardLimit: 1 }] }),
  ],
  ["Granular stop timeout on container 'app' must be at least 2 seconds.", withApp({ stopTimeout: 1 })],
  ["Granular start timeout on container 'app' must be at least 2 seconds.", withApp({ startTimeout: 1 })],
  [
    "The 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800.",
    withApp({ restartPolicy: { enabled: true, restartAttemptPeriod: 59 } }),
  ],
  [
    "The 'ignoredExitCodes' setting for container 'app' must have at most 50 exit codes.",
    withApp({ restartPolicy: { enabled: true, ignoredExitCodes: Array(51).fill(1) } }),
  ],
  [
    "The 'systemControls' namespace net must start with net. or fs.mqueue. prefix, or be one of [kernel.msgmax,kernel.msgmnb,kernel.msgmni,kernel.sem,kernel.shmall,kernel.shmmax,kernel.shmmni,kernel.shm_rmid_forced]",
    withApp({ systemControls: [{ namespace: 'net', value: 'ipv6.conf.all.disable_ipv6' }] }),
  ],
  [
    "System control 'net.core.somaxconn' is not supported when networkMode=host.",
    withApp({ systemControls: [{ namespace: 'net.core.somaxconn', value: '1' }] }, { networkMode: 'host' }),
  ],
  [
    "System control 'kernel.shmmax' is not supported when ipcMode=host.",
    withApp({ systemControls: [{ namespace: 'kernel.shmmax', value: '1' }] }, { ipcMode: 'host' }),
  ],
  [
    "Invalid 'swappiness' setting for container 'app'. It must be between 0 and 100.",
    withApp({ linuxParameters: { swappiness: 101 } }),
  ],
  [
    "Invalid 'tmpfs' setting for container 'app'. 'fast' is not a valid mount option.",
    withApp({
      linuxParameters: {
        tmpfs: [{ containerPath: '/t', size: 1, mountOptions: ['rw', 'mode=755', 'fast'] }],
      },
    }),
  ],
  [
    "Invalid 'resourceRequirements' setting for container 'app'.",
    withApp({ resourceRequirements: [{ type: 'GPU', value: '0' }] }),
  ],
]

const networking: Refusals = [
  ["Invalid 'containerPort' setting for container 'app'.", ports({ hostPort: 7000 })],
  ["Invalid 'containerPort' setting for container 'app'.", ports({ containerPort: 65_536 })],
  ["Invalid 'hostPort' setting for container 'app'.", ports({ containerPort: 80, hostPort: 65_536 })],
  ...(['awsvpc', 'host'] as const).map((networkMode): [string, RegisterTaskDefinitionRequest] => [
    `When networkMode=${networkMode}, the host ports and container ports in port mappings must match.`,
    { ...ports({ containerPort: 80, hostPort: 8080 }), networkMode },
  ]),
  [
    "TCP container port '8085' is used multiple times in task when networkMode=awsvpc.",
    two({ portMappings: [{ containerPort: 8085 }] }, { portMappings: [{ containerPort: 8085 }] }, awsvpc),
  ],
  [
    'When networkMode=awsvpc, port mapping name is already used',
    { ...ports({ containerPort: 80, name: 'web' }, { containerPort: 81, name: 'web' }), ...awsvpc },
  ],
  ["Invalid 'containerPortRange' setting for container 'app'.", ports({ containerPortRange: '20-10' })],
  ["Invalid 'containerPortRange' setting for container 'app'.", ports({ containerPortRange: '20-20' })],
  ["Invalid 'containerPortRange' setting for container 'app'.", ports({ containerPortRange: '1-65536' })],
  [
    "Invalid 'containerPortRange' setting for container 'app'. Port ranges must not overlap.",
    ports({ containerPortRange: '10-20' }, { containerPortRange: '20-30' }),
  ],
  [
    "Invalid 'containerPortRange' setting for container 'app'. It is not supported when networkMode=host.",
    { ...ports({ containerPortRange: '10-20' }), networkMode: 'host' },
  ],
  [
    "Invalid port mapping for container 'app', cannot specify both single port and port range.",
    ports({ containerPortRange: '10-20', containerPort: 10 }),
  ],
  [
    "Invalid port mapping for container 'app', 'appProtocol' requires 'name'.",
    ports({ containerPort: 80, appProtocol: 'http' }),
  ],
  ["Invalid 'name' setting for port mapping in container 'app'.", ports({ containerPort: 80, name: '-web' })],
  [
    'Port mappings are not supported when networkMode=none.',
    { ...ports({ containerPort: 80 }), networkMode: 'none' },
  ],
  ['Links are not supported when networkMode=awsvpc.', withApp({ links: ['a'] }, awsvpc)],
  [`hostname ${network}`, withApp({ hostname: 'h' }, awsvpc)],
  [
    `Extra hosts ${network.replace('is', 'are')}`,
    withApp({ extraHosts: [{ hostname: 'h', ipAddress: '1.1.1.1' }] }, awsvpc),
  ],
  [`DNS servers ${network.replace('is', 'are')}`, withApp({ dnsServers: ['1.1.1.1'] }, awsvpc)],
  [`Disable Networking ${network}`, withApp({ disableNetworking: true }, awsvpc)],
  [
    'DNS search domain a_b contains invalid characters, does not match pattern ^[a-zA-Z0-9-.]{0,253}[a-zA-Z0-9]$',
    withApp({ dnsSearchDomains: ['a_b'] }),
  ],
]

const fed: Refusals = [
  [
    'The maximum number of environment files was exceeded. Specify ten or less and try again.',
    withApp({ environmentFiles: Array(11).fill(bucketFile) }),
  ],
  ['Invalid arn syntax.', withApp({ environmentFiles: [{ ...bucketFile, value: 'bucket/a.env' }] })],
  [
    "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    withApp(parameter),
  ],
  [
    "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'S'.",
    withApp({ ...parameter, environment: [{ name: 'S', value: '1' }] }, { executionRoleArn: role }),
  ],
  [
    'The Systems Manager parameter ARN has a different account ID than the current account. The current account ID is 000000000000 and the ARN account ID is 111111111111. Cross-account access for ARNs is not currently supported.',
    withApp(secret('arn:aws:ssm:us-east-1:111111111111:parameter/s')),
  ],
  [
    'The Systems Manager parameter name specified for secret S is invalid.',
    withApp(secret('my-secret:key::'), { executionRoleArn: role }),
  ],
  ...(
    [
      ['interval', 5, 300],
      ['timeout', 2, 60],
      ['retries', 1, 10],
      ['startPeriod', 0, 300],
    ] as const
  ).flatMap(([member, least, most]): [string, RegisterTaskDefinitionRequest][] => [
    [
      `Health check ${member} must be less than or equal to the maximum allowed value ${most} for container 'app'`,
      withApp({ healthCheck: { ...healthCheck, [member]: most + 1 } }),
    ],
    [
      `Health check ${member} must be greater than or equal to the minimum allowed value ${least} for container 'app'`,
      withApp({ healthCheck: { ...healthCheck, [member]: least - 1 } }),
    ],
  ]),
  [
    'Log driver awslogs requires options: awslogs-region, awslogs-group',
    withApp({ logConfiguration: { logDriver: 'awslogs' } }),
  ],
  [
    'Log driver awslogs requires options: awslogs-group',
    withApp({ logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-region': 'r' } } }),
  ],
  [
    'Log driver awslogs disallows options: awslogs-colour',
    withApp({
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-region': 'r', 'awslogs-group': 'g', 'awslogs-colour': 'red' },
      },
    }),
  ],
  [
    'loki is not a valid log driver. Must be one of [awsfirelens,awslogs,fluentd,gelf,journald,json-file,splunk,syslog]',
    withApp({ logConfiguration: { logDriver: 'loki' as 'splunk' } }),
  ],
  [
    'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.',
    withApp({ logConfiguration: { logDriver: 'awsfirelens' } }),
  ],
  [
    'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.',
    withApp({ firelensConfiguration: { type: 'fluentbit' } }),
  ],
]

const volumes: Refusals = [
  ["Unknown volume 'nope'.", withApp({ mountPoints: [{ sourceVolume: 'nope', containerPath: '/x' }] })],
  [
    "Invalid 'volumesFrom' setting. Unknown container: 'x'",
    withApp({ volumesFrom: [{ sourceContainer: 'x' }] }),
  ],
  ['Volumes [v] are not referenced by any of the containers', withVolume({ configuredAtLaunch: true })],
  ['host.sourcePath should not be blank.', withVolume({ host: { sourcePath: '' } })],
  ['volume.name contains invalid characters.', withVolume({ name: '/var/run' })],
  ['volume.name should not be null or empty.', withVolume({ name: '' })],
  [
    'Volume names must be unique within a task definition',
    { ...minimal, volumes: [{ name: 'v' }, { name: 'v' }] },
  ],
  [
    "Volume 'v' must have exactly one kind of configuration.",
    withVolume({ host: {}, dockerVolumeConfiguration: { scope: 'task' } }),
  ],
  [
    "Volume 'v': 'autoprovision' can be specified for the scope 'shared' only.",
    withVolume({ dockerVolumeConfiguration: { scope: 'task', autoprovision: true } }),
  ],
  [
    'When using an EFS access point, the root directory must either be set to "/" or be omitted.',
    efs({ rootDirectory: '/data', authorizationConfig: { accessPointId: 'fsap-1' } }),
  ],
  [
    'EFS IAM authorization requires TransitEncryption to be enabled.',
    efs({ transitEncryption: 'DISABLED', authorizationConfig: { iam: 'ENABLED' } }),
  ],
  ['TransitEncryptionPort requires that TransitEncryption is enabled.', efs({ transitEncryptionPort: 2049 })],
  [
    "When you are specifying an S3 Files volume, you must also specify a value for 'taskRoleArn'.",
    withVolume({ s3filesVolumeConfiguration: s3files }),
  ],
]

test.each([...taskLevel, ...containerLevel, ...networking, ...fed, ...volumes])(
  'says: %s',
  async (message, input) => {
    const context = await testContext()
    expect(refusalOf(() => registerTaskDefinition.run(context, input))).toBe(`ClientException: ${message}`)
    expect(context.store.size('taskDefinition')).toBe(0)
    expect(context.store.size('taskDefinitionFamily')).toBe(0)
  },
)

test.each([
  ['attribute:a ==', /^ClientException: constraint\.expression 'attribute:a =='/],
  ['', /^ClientException: constraint\.expression ''/],
  ['x'.repeat(2001), /^ClientException: constraint\.expression 'x+'/],
])('a constraint must be an expression: %#', async (expression, refusal) => {
  const context = await testContext()
  const placementConstraints = [{ type: 'memberOf' as const, expression }]
  expect(refusalOf(() => registerTaskDefinition.run(context, { ...minimal, placementConstraints }))).toMatch(
    refusal,
  )
})

test('the length of a request that is too long is said', async () => {
  const context = await testContext()
  const refusal = refusalOf(() =>
    registerTaskDefinition.run(context, withApp({ command: ['x'.repeat(70_000)] })),
  )
  expect(refusal).toMatch(
    /^ClientException: Actual length: '70\d{3}'\. Max allowed length is '65536' bytes\.$/,
  )
})

test.each([
  { type: 'GPU', value: 'ALL' } as const,
  { type: 'GPU', sharingStrategy: 'TIME_SLICING' } as const,
])('GPUs that are not counted are not supported: %j', async (requirement) => {
  const context = await testContext()
  const input = withApp({ resourceRequirements: [requirement as { type: 'GPU'; value: string }] })
  expect(refusalOf(() => registerTaskDefinition.run(context, input))).toMatch(
    /^UnsupportedFeatureException: /,
  )
})
