/** Every parameter of a container definition, what says its effect, and what that says. */
import { after, before, host, mib, mount, type Row, stays } from './container-parameters-row.ts'
import { volumeRows } from './container-parameters-volumes.ts'

const processRows: readonly Row[] = [
  {
    what: 'entryPoint and command',
    container: { entryPoint: ['sh', '-c', 'echo "$0 $1"'], command: ['one', 'two'] },
    prints: ['one two'],
  },
  {
    what: 'environment, over which that of overrides lies',
    container: {
      environment: [
        { name: 'A', value: 'a = b' },
        { name: 'B', value: '' },
        { name: 'C', value: 'definition' },
        { name: 'AWS_REGION', value: 'mine' },
      ],
    },
    overrides: { containerOverrides: [{ name: 'main', environment: [{ name: 'C', value: 'override' }] }] },
    script: 'echo "$A|${B-unset}|$C|$AWS_REGION|$AWS_DEFAULT_REGION"',
    prints: ['a = b||override|mine|us-east-1'],
  },
  {
    what: 'command, cpu and memory of overrides',
    container: { command: ['false'], cpu: 10 },
    overrides: {
      containerOverrides: [
        {
          name: 'main',
          command: ['sh', '-c', 'echo overridden'],
          cpu: 20,
          memory: 24,
          memoryReservation: 12,
        },
      ],
    },
    prints: ['overridden'],
    hostConfig: { CpuShares: 20, Memory: 24 * mib, MemoryReservation: 12 * mib },
  },
  { what: 'user', container: { user: '1000:1001' }, script: 'id -u; id -g', prints: ['1000', '1001'] },
  {
    what: 'workingDirectory',
    container: { workingDirectory: '/tmp/deep' },
    script: 'pwd',
    prints: ['/tmp/deep'],
  },
  { what: 'hostname', container: { hostname: 'mine' }, script: 'hostname', prints: ['mine'] },
  { what: 'interactive', container: { interactive: true }, config: { OpenStdin: true } },
  { what: 'pseudoTerminal', container: { pseudoTerminal: true }, script: 'tty', prints: ['/dev/pts/0'] },
  {
    what: 'dockerLabels, beside those of ECS',
    container: { dockerLabels: { mine: 'yes' } },
    config: { Labels: { mine: 'yes', 'com.amazonaws.ecs.container-name': 'main' } },
  },
  {
    what: 'restartPolicy, which is not left to Docker; one that ends within its period stays ended',
    container: { restartPolicy: { enabled: true, restartAttemptPeriod: 60 } },
    hostConfig: { RestartPolicy: { MaximumRetryCount: 0 } },
  },
  {
    what: 'initProcessEnabled',
    container: { linuxParameters: { initProcessEnabled: true } },
    script: 'cat /proc/1/comm',
    prints: ['docker-init'],
  },
  {
    what: 'dependsOn',
    container: { ...after, mountPoints: [mount('data')] },
    others: [before('echo first > /data/word', { mountPoints: [mount('data')] })],
    more: { volumes: [host('data')] },
    script: 'cat /data/word',
    prints: ['first'],
  },
]

const resourceRows: readonly Row[] = [
  { what: 'no cpu, which is the least there is', container: { cpu: 0 }, hostConfig: { CpuShares: 2 } },
  { what: 'cpu', container: { cpu: 256 }, hostConfig: { CpuShares: 256, CpuQuota: 0 } },
  {
    what: 'memory',
    container: { memory: 20 },
    script: 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true',
    prints: [String(20 * mib)],
  },
  {
    what: 'memoryReservation',
    container: { memory: 20, memoryReservation: 10 },
    hostConfig: { Memory: 20 * mib, MemoryReservation: 10 * mib },
  },
  {
    what: 'maxSwap and swappiness',
    container: { memory: 20, linuxParameters: { maxSwap: 30, swappiness: 10 } },
    hostConfig: { Memory: 20 * mib, MemorySwap: 50 * mib, MemorySwappiness: 10 },
  },
  {
    what: 'swappiness alone, which means nothing',
    container: { linuxParameters: { swappiness: 10 } },
    hostConfig: { MemorySwappiness: null },
  },
  {
    what: 'ulimits',
    container: { ulimits: [{ name: 'nofile', softLimit: 100, hardLimit: 200 }] },
    script: 'ulimit -n; ulimit -Hn',
    prints: ['100', '200'],
  },
  {
    what: 'sharedMemorySize',
    container: { linuxParameters: { sharedMemorySize: 12 } },
    script: "df -m /dev/shm | awk 'NR == 2 { print $2 }'",
    prints: ['12'],
  },
]

const gpuRows: readonly Row[] = [
  {
    what: 'resourceRequirements GPU',
    container: { resourceRequirements: [{ type: 'GPU', value: '2' }] },
    script: 'echo $NVIDIA_VISIBLE_DEVICES',
    prints: ['GPU-aaaa,GPU-bbbb'],
    hostConfig: { Runtime: 'runc' },
  },
]

const securityRows: readonly Row[] = [
  {
    what: 'capabilities',
    container: { linuxParameters: { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } } },
    script: 'grep CapEff /proc/self/status',
    prints: ['CapEff:\t0000000000001000'],
  },
  {
    what: 'devices',
    container: {
      linuxParameters: {
        devices: [{ hostPath: '/dev/zero', containerPath: '/dev/mine', permissions: ['read'] }],
      },
    },
    script: 'head -c 2 /dev/mine | wc -c',
    prints: ['2'],
    hostConfig: {
      Devices: [{ PathOnHost: '/dev/zero', PathInContainer: '/dev/mine', CgroupPermissions: 'r' }],
    },
  },
  {
    what: 'privileged',
    container: { privileged: true },
    // It gets all capabilities there are, which a machine that lacks some cannot give.
    mayFail: true,
    hostConfig: { Privileged: true },
  },
  {
    what: 'no privilege',
    container: { privileged: false },
    script: 'mount -t tmpfs none /tmp 2>/dev/null || echo refused',
    prints: ['refused'],
  },
  {
    what: 'readonlyRootFilesystem',
    container: { readonlyRootFilesystem: true },
    script: 'touch /tmp/x 2>/dev/null || echo refused',
    prints: ['refused'],
  },
  {
    what: 'dockerSecurityOptions',
    container: { dockerSecurityOptions: ['no-new-privileges:true'] },
    script: 'grep NoNewPrivs /proc/self/status',
    prints: ['NoNewPrivs:\t1'],
  },
  {
    what: 'systemControls of the network and of IPC',
    container: {
      systemControls: [
        { namespace: 'net.ipv4.ip_default_ttl', value: '77' },
        { namespace: 'kernel.msgmax', value: '4242' },
      ],
    },
    script: 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax',
    prints: ['77', '4242'],
  },
]

const notFirst = '[ $$ -eq 1 ] && echo alone || echo among others'

const namespaceRows: readonly Row[] = [
  { what: 'no pidMode', script: notFirst, prints: ['alone'] },
  {
    what: 'pidMode host',
    more: { pidMode: 'host' },
    script: notFirst,
    prints: ['among others'],
    hostConfig: { PidMode: 'host' },
  },
  { what: 'pidMode task', more: { pidMode: 'task' }, script: notFirst, prints: ['among others'] },
  { what: 'ipcMode host', more: { ipcMode: 'host' }, hostConfig: { IpcMode: 'host' } },
  {
    what: 'ipcMode none',
    more: { ipcMode: 'none' },
    script: 'grep -c " /dev/shm " /proc/mounts; true',
    prints: ['0'],
    hostConfig: { IpcMode: 'none' },
  },
  {
    what: 'ipcMode task, with systemControls for all',
    container: after,
    others: [before('true', { systemControls: [{ namespace: 'kernel.msgmax', value: '4343' }] })],
    more: { ipcMode: 'task' },
    script: 'cat /proc/sys/kernel/msgmax',
    prints: ['4343'],
  },
]

const networkRows: readonly Row[] = [
  {
    what: 'extraHosts',
    container: { extraHosts: [{ hostname: 'db.corp', ipAddress: '10.1.2.3' }] },
    script: 'grep db.corp /etc/hosts',
    prints: ['10.1.2.3\tdb.corp'],
  },
  {
    what: 'dnsServers and dnsSearchDomains',
    container: { dnsServers: ['10.9.9.9'], dnsSearchDomains: ['corp.example'] },
    script: 'grep -v "^#" /etc/resolv.conf | grep -v options | sort',
    prints: ['nameserver 10.9.9.9', 'search corp.example'],
  },
  {
    what: 'links',
    container: { links: ['before:database'] },
    others: [before('', { command: stays })],
    script: "grep -c 'database' /etc/hosts",
    prints: ['1'],
  },
  {
    what: 'disableNetworking',
    container: { disableNetworking: true },
    script: 'ls /sys/class/net',
    prints: ['lo'],
  },
  {
    what: 'networkMode none',
    more: { networkMode: 'none' },
    script: 'ls /sys/class/net',
    prints: ['lo'],
  },
  {
    what: 'networkMode host',
    more: { networkMode: 'host' },
    script: 'ls -d /sys/class/net/docker0',
    prints: ['/sys/class/net/docker0'],
  },
  {
    what: 'portMappings',
    container: {
      portMappings: [
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 53, hostPort: 5353, protocol: 'udp' },
        { containerPortRange: '9000-9001' },
      ],
    },
    hostConfig: {
      PortBindings: {
        '80/tcp': [{ HostIp: '', HostPort: '8080' }],
        '53/udp': [{ HostIp: '', HostPort: '5353' }],
        '9000/tcp': [{ HostIp: '' }],
        '9001/tcp': [{ HostIp: '' }],
      },
    },
  },
]

const healthCheck = {
  command: ['CMD-SHELL', 'test -e /tmp'],
  interval: 6,
  timeout: 3,
  retries: 2,
  startPeriod: 4,
}
const second = 1_000_000_000

const watchRows: readonly Row[] = [
  {
    what: 'healthCheck',
    container: { healthCheck },
    config: {
      Healthcheck: {
        Test: healthCheck.command,
        Interval: 6 * second,
        Timeout: 3 * second,
        Retries: 2,
        StartPeriod: 4 * second,
      },
    },
  },
  {
    what: 'healthCheck NONE',
    container: { healthCheck: { command: ['NONE'] } },
    config: { Healthcheck: { Test: ['NONE'] } },
  },
  {
    what: 'logConfiguration json-file',
    container: {
      logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m', 'max-file': '2' } },
    },
    hostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } } },
  },
  ...(
    [
      ['syslog', { 'syslog-address': 'udp://127.0.0.1:5514', tag: 'mine' }],
      ['gelf', { 'gelf-address': 'udp://127.0.0.1:12201' }],
      ['fluentd', { 'fluentd-address': '127.0.0.1:24224', 'fluentd-async-connect': 'true' }],
    ] as const
  ).map(([logDriver, options]): Row => ({
    what: `logConfiguration ${logDriver}`,
    container: { logConfiguration: { logDriver, options } },
    hostConfig: { LogConfig: { Type: logDriver, Config: options } },
  })),
]

export const rows: readonly Row[] = [
  ...processRows,
  ...resourceRows,
  ...gpuRows,
  ...securityRows,
  ...namespaceRows,
  ...networkRows,
  ...watchRows,
  ...volumeRows,
]
