import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { requiresAttributesOf } from './task-definition-attributes.ts'
import { draftOf } from './task-definition-draft.ts'

type Input = Partial<RegisterTaskDefinitionRequest>

const agent = (...names: string[]): string[] => names.map((name) => `com.amazonaws.ecs.capability.${name}`)
const ecs = (...names: string[]): string[] => names.map((name) => `ecs.capability.${name}`)
const docker = (...versions: string[]): string[] => agent(...versions.map((v) => `docker-remote-api.1.${v}`))
const app = (more: ContainerDefinition, rest: Input = {}): Input => ({
  ...rest,
  containerDefinitions: [more],
})
const logs = (logDriver: 'awslogs' | 'json-file' | 'awsfirelens', options?: Record<string, string>) =>
  app({ logConfiguration: { logDriver, ...(options && { options }) } })
const volume = (kind: object): Input => ({ volumes: [{ name: 'v', ...kind }] })
const awslogs = { 'awslogs-group': 'g', 'awslogs-region': 'r' }
const ecrImage = '123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1'
const [byArn, byName] = ['arn:aws:secretsmanager:us-east-1:000000000000:secret:a-123456', '/parameter']

test.each<[what: string, attributes: readonly string[], input: Input]>([
  ['nothing in particular', [], {}],
  [
    'sizes, variables, commands and ports',
    [],
    {
      cpu: '256',
      memory: '512',
      containerDefinitions: [
        { environment: [{ name: 'A' }], command: ['x'], portMappings: [{ containerPort: 80 }] },
      ],
    },
  ],
  ['awsvpc', [...ecs('task-eni'), ...docker('18')], { networkMode: 'awsvpc' }],
  ['ulimits, even none', docker('18'), app({ ulimits: [] })],
  ['labels, even none', docker('18'), app({ dockerLabels: {} })],
  ['a log driver', [...agent('logging-driver.json-file'), ...docker('18')], logs('json-file')],
  [
    'a log driver with options',
    [...agent('logging-driver.awslogs'), ...docker('19')],
    logs('awslogs', awslogs),
  ],
  [
    'awslogs with a role',
    [...agent('logging-driver.awslogs'), ...docker('19'), ...ecs('execution-role-awslogs')],
    { ...logs('awslogs', awslogs), executionRoleArn: 'run' },
  ],
  [
    'awslogs that does not block',
    [...agent('logging-driver.awslogs'), ...docker('19', '28')],
    logs('awslogs', { ...awslogs, mode: 'non-blocking' }),
  ],
  [
    'awslogs that makes its group',
    [...agent('logging-driver.awslogs'), ...docker('19', '29')],
    logs('awslogs', { ...awslogs, 'awslogs-create-group': 'true' }),
  ],
  ['an image of ECR', agent('ecr-auth'), app({ image: ecrImage })],
  ['an image of this installation', agent('ecr-auth'), app({ image: 'localhost:4566/web:1' })],
  [
    'an image of ECR with a role',
    [...agent('ecr-auth'), ...ecs('execution-role-ecr-pull')],
    app({ image: ecrImage }, { executionRoleArn: 'run' }),
  ],
  ['a role of the task', agent('task-iam-role'), { taskRoleArn: 'run' }],
  [
    'a role of the task in host mode',
    agent('task-iam-role', 'task-iam-role-network-host'),
    { taskRoleArn: 'run', networkMode: 'host' },
  ],
  ['a memory reservation', docker('21'), app({ memoryReservation: 8 })],
  ['a user', docker('17'), app({ user: 'nobody' })],
  ['a host name', docker('17'), app({ hostname: 'h' })],
  ['DNS servers, even none', docker('17'), app({ dnsServers: [] })],
  ['DNS search domains, even none', docker('17'), app({ dnsSearchDomains: [] })],
  ['extra hosts, even none', docker('17'), app({ extraHosts: [] })],
  [
    'what CloudFormation leaves empty',
    docker('17', '18'),
    app({
      command: [],
      credentialSpecs: [],
      dnsSearchDomains: [],
      dnsServers: [],
      dockerLabels: {},
      dockerSecurityOptions: [],
      environmentFiles: [],
      extraHosts: [],
      links: [],
      secrets: [],
      ulimits: [],
    }),
  ],
  [
    "what the console's wizard makes for Fargate",
    [
      ...agent('ecr-auth', 'logging-driver.awslogs', 'task-iam-role'),
      ...docker('18', '19', '24', '29'),
      ...ecs('container-health-check', 'execution-role-awslogs', 'execution-role-ecr-pull', 'task-eni'),
    ],
    app(
      {
        image: ecrImage,
        portMappings: [{ name: 'web-80-tcp', containerPort: 80, appProtocol: 'http' }],
        environmentFiles: [],
        ulimits: [],
        logConfiguration: {
          logDriver: 'awslogs',
          options: { ...awslogs, 'awslogs-create-group': 'true', 'awslogs-stream-prefix': 'ecs' },
          secretOptions: [],
        },
        healthCheck: { command: ['CMD-SHELL', 'true'] },
      },
      {
        networkMode: 'awsvpc',
        cpu: '1024',
        memory: '2048',
        taskRoleArn: 'run',
        executionRoleArn: 'run',
        runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      },
    ),
  ],
  ['privilege', [...docker('17'), ...agent('privileged-container')], app({ privileged: true })],
  ['a tmpfs', docker('22'), app({ linuxParameters: { tmpfs: [{ containerPath: '/t', size: 1 }] } })],
  ['shared memory', docker('22'), app({ linuxParameters: { sharedMemorySize: 1 } })],
  ['an init process', docker('25'), app({ linuxParameters: { initProcessEnabled: true } })],
  ['swap', docker('32'), app({ linuxParameters: { maxSwap: 0 } })],
  ['an SELinux label', agent('selinux'), app({ dockerSecurityOptions: ['label:level:s0'] })],
  ['an AppArmor profile', agent('apparmor'), app({ dockerSecurityOptions: ['apparmor:p'] })],
  ['no new privileges', docker('23'), app({ dockerSecurityOptions: ['no-new-privileges:true'] })],
  [
    'a health check',
    [...ecs('container-health-check'), ...docker('24')],
    app({ healthCheck: { command: ['CMD', 'x'] } }),
  ],
  [
    'a health check that begins late',
    [...ecs('container-health-check'), ...docker('29')],
    app({ healthCheck: { command: ['CMD', 'x'], startPeriod: 0 } }),
  ],
  ['EFS', [...ecs('efs', 'efsAuth'), ...docker('25')], volume({ efsVolumeConfiguration: {} })],
  [
    'secrets of both stores',
    ecs('secrets.asm.environment-variables', 'secrets.ssm.environment-variables'),
    app({
      secrets: [
        { name: 'A', valueFrom: byArn },
        { name: 'B', valueFrom: byName },
      ],
    }),
  ],
  [
    'a secret of a log driver',
    [...agent('logging-driver.splunk'), ...docker('18'), ...ecs('secrets.asm.bootstrap.log-driver')],
    app({
      logConfiguration: { logDriver: 'splunk', secretOptions: [{ name: 'splunk-token', valueFrom: byArn }] },
    }),
  ],
  ['environment files', ecs('env-files.s3'), app({ environmentFiles: [{ type: 's3', value: 'arn' }] })],
  ['no environment files', [], app({ environmentFiles: [] })],
  ['an order', ecs('container-ordering'), app({ dependsOn: [{ containerName: 'b', condition: 'START' }] })],
  ['a timeout', ecs('container-ordering'), app({ stopTimeout: 5 })],
  ['a process namespace', ecs('pid-ipc-namespace-sharing'), { pidMode: 'host' }],
  [
    'a log router with a file',
    ecs('firelens.fluentbit', 'firelens.options.config.file'),
    app({ firelensConfiguration: { type: 'fluentbit', options: { 'config-file-type': 'file' } } }),
  ],
  ['many CPUs', ecs('increased-task-cpu-limit'), { cpu: '11 vCPU' }],
  ['ten CPUs', [], { cpu: '10 vCPU' }],
  ['storage of the task', ecs('extensible-ephemeral-storage'), { ephemeralStorage: { sizeInGiB: 30 } }],
  [
    'a Docker volume',
    [...ecs('docker-plugin.local'), ...docker('25')],
    volume({ dockerVolumeConfiguration: {} }),
  ],
  [
    'a plugin',
    [...ecs('docker-plugin.rexray/ebs.1'), ...docker('25')],
    volume({ dockerVolumeConfiguration: { driver: 'rexray/ebs:1' } }),
  ],
  // As AWS has shown it of a job without a network.
  [
    'much of Linux and no network',
    [
      ...agent('logging-driver.awslogs'),
      ...docker('17', '18', '19', '23', '25', '32'),
      ...ecs('pid-ipc-namespace-sharing'),
    ],
    app(
      {
        linuxParameters: {
          capabilities: { drop: ['ALL'] },
          initProcessEnabled: true,
          maxSwap: 0,
          swappiness: 0,
        },
        user: 'nobody',
        disableNetworking: true,
        privileged: false,
        dockerSecurityOptions: ['no-new-privileges'],
        ulimits: [{ name: 'nproc', softLimit: 128, hardLimit: 128 }],
        logConfiguration: { logDriver: 'awslogs', options: awslogs },
      },
      { networkMode: 'none', cpu: '2048', memory: '4096', ipcMode: 'none' },
    ),
  ],
  [
    'a directory and links',
    docker('17'),
    app({ workingDirectory: '/srv', links: ['db'], entryPoint: ['./run'] }),
  ],
  ['App Mesh', ecs('aws-appmesh'), { proxyConfiguration: { containerName: 'envoy' } }],
  [
    'a registry that takes a secret',
    ecs('private-registry-authentication.secretsmanager'),
    app({ repositoryCredentials: { credentialsParameter: byArn } }),
  ],
  [
    'a range of ports',
    ecs('network.container-port-range'),
    app({ portMappings: [{ containerPortRange: '80-90' }] }),
  ],
  ['restarts', ecs('container-restart-policy'), app({ restartPolicy: { enabled: true } })],
  ['faults', ecs('fault-injection'), { enableFaultInjection: true }],
  ['EBS', ecs('storage.ebs-task-volume-attach'), volume({ configuredAtLaunch: true })],
  [
    'a domain joined by the task',
    ecs('gmsa-domainless'),
    app({ credentialSpecs: ['credentialspecdomainless:arn'] }),
  ],
])('a definition with %s asks of an instance for %j', (_, attributes, input) => {
  const draft = draftOf({ family: 'f', containerDefinitions: [{ name: 'app' }], ...input })
  expect(requiresAttributesOf(draft, 'localhost:4566')).toEqual(attributes.toSorted())
})
