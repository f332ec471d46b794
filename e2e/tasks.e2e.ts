import { afterAll, beforeAll, expect, test } from 'vitest'
import { OneInstance, polite } from './one-instance.ts'

const mebibyte = 2 ** 20
let one: OneInstance

beforeAll(async () => {
  one = await OneInstance.start()
})
afterAll(() => one.end())

test('environment, command and entry point are what the definition says', async () => {
  const printed = await one.printed('', {
    entryPoint: ['sh', '-c', 'echo "$@ $COLOUR $AWS_REGION"', 'name'],
    command: ['one', 'two words'],
    environment: [{ name: 'COLOUR', value: 'a "quoted" = $blue' }],
  })
  expect(printed).toBe('one two words a "quoted" = $blue us-east-1')
})

test('overrides of run-task: command, environment added and replaced, cpu and memory', async () => {
  const definition = {
    cpu: 64,
    memory: 64,
    command: ['sh', '-c', 'echo never'],
    environment: [
      { name: 'KEPT', value: 'kept' },
      { name: 'COLOUR', value: 'red' },
    ],
  }
  const override = {
    name: 'main',
    command: ['sh', '-c', 'echo $KEPT $COLOUR $ADDED'],
    environment: [
      { name: 'COLOUR', value: 'blue' },
      { name: 'ADDED', value: 'added' },
    ],
    cpu: 128,
    memory: 48,
    memoryReservation: 24,
  }
  const arn = await one.run([definition], {}, { containerOverrides: [override] })
  const task = await one.at(arn, 'STOPPED')
  const { HostConfig, Id } = await one.inspect(task)
  expect(await one.docker('logs', Id)).toBe('kept blue added')
  expect(HostConfig).toMatchObject({
    CpuShares: 128,
    Memory: 48 * mebibyte,
    MemoryReservation: 24 * mebibyte,
  })
  expect(task.containers?.[0]).toMatchObject({ cpu: '128', memory: '48', memoryReservation: '24' })
})

test('who runs where, with which rights and limits', async () => {
  const script =
    'id -u; id -g; pwd; ulimit -n; ulimit -Hn; cat /proc/sys/net/core/somaxconn; touch /x 2>&1; touch /scratch/y && echo written; ' +
    'grep -E " (/scratch|/dev/shm) " /proc/mounts | cut -d" " -f2-4 | sort; grep own.host /etc/hosts; hostname; cat /proc/1/comm; grep CapPrm /proc/self/status'
  const printed = await one.printed(script, {
    user: '1000:1001',
    workingDirectory: '/tmp',
    hostname: 'named',
    readonlyRootFilesystem: true,
    ulimits: [{ name: 'nofile', softLimit: 100, hardLimit: 200 }],
    extraHosts: [{ hostname: 'own.host', ipAddress: '10.9.8.7' }],
    systemControls: [{ namespace: 'net.core.somaxconn', value: '99' }],
    linuxParameters: {
      initProcessEnabled: true,
      sharedMemorySize: 8,
      tmpfs: [{ containerPath: '/scratch', size: 1, mountOptions: ['noexec', 'mode=1777'] }],
    },
  })
  expect(printed.split('\n').map((line) => line.replaceAll('\t', ' '))).toEqual([
    '1000',
    '1001',
    '/tmp',
    '100',
    '200',
    '99',
    'touch: /x: Read-only file system',
    'written',
    '/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=8192k',
    '/scratch tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k',
    '10.9.8.7 own.host',
    'named',
    'docker-init',
    'CapPrm: 0000000000000000',
  ])
})

test('capabilities are added and dropped', async () => {
  const capabilities = { add: ['NET_ADMIN'], drop: ['CHOWN', 'MKNOD'] }
  const printed = await one.printed('grep CapEff /proc/self/status', { linuxParameters: { capabilities } })
  const effective = BigInt(`0x${printed.split(/\s+/)[1]}`)
  const has = (bit: bigint): boolean => (effective & (1n << bit)) !== 0n
  expect({ chown: has(0n), netAdmin: has(12n), mknod: has(27n), kill: has(5n) }).toEqual({
    chown: false,
    netAdmin: true,
    mknod: false,
    kill: true,
  })
})

test('limits as the official agent sets them: hard limit, reservation, at least two shares, swap', async () => {
  const limited = await one.run([
    { command: polite, memory: 4, cpu: 0, linuxParameters: { maxSwap: 0 } },
    {
      command: polite,
      memory: 40,
      memoryReservation: 20,
      cpu: 1,
      linuxParameters: { maxSwap: 10, swappiness: 5 },
    },
    { command: polite, memory: 40, linuxParameters: { maxSwap: 0, swappiness: 7 } },
    { command: polite, memory: undefined, memoryReservation: 16, linuxParameters: { swappiness: 9 } },
  ])
  const task = await one.at(limited, 'RUNNING')
  const limitsOf = async (name: string): Promise<unknown[]> => {
    const { HostConfig: host } = await one.inspect(task, name)
    return [host['CpuShares'], host['Memory'], host['MemoryReservation'], host['MemorySwap']]
  }
  expect(await Promise.all(['main', 'side-1', 'side-2', 'side-3'].map(limitsOf))).toEqual([
    [2, 6 * mebibyte, 0, 6 * mebibyte],
    [2, 40 * mebibyte, 20 * mebibyte, 50 * mebibyte],
    [2, 40 * mebibyte, 0, 40 * mebibyte],
    [2, 0, 16 * mebibyte, 0],
  ])
  await one.stop(limited)
})

test('labels, names and log options, as docker inspect on the instance shows them', async () => {
  const arn = await one.run([
    {
      command: polite,
      dockerLabels: { 'my.label': 'mine', 'com.amazonaws.ecs.cluster': 'forged' },
      logConfiguration: { logDriver: 'json-file', options: { 'max-size': '1m', 'max-file': '2' } },
    },
  ])
  const task = await one.at(arn, 'RUNNING')
  const { Config, HostConfig, Name, Id } = await one.inspect(task)
  const [, family = '', revision = ''] =
    /task-definition\/(.*):(.*)$/.exec(task.taskDefinitionArn ?? '') ?? []
  expect(Config.Labels).toEqual({
    'my.label': 'mine',
    'com.amazonaws.ecs.cluster': 'tasks',
    'com.amazonaws.ecs.container-name': 'main',
    'com.amazonaws.ecs.task-arn': arn,
    'com.amazonaws.ecs.task-definition-family': family,
    'com.amazonaws.ecs.task-definition-version': revision,
  })
  expect(Name).toMatch(new RegExp(`^/ecs-${family}-${revision}-main-[0-9a-f]{20}$`))
  expect(task.containers?.[0]?.runtimeId).toBe(Id)
  expect(HostConfig['LogConfig']).toEqual({
    Type: 'json-file',
    Config: { 'max-size': '1m', 'max-file': '2' },
  })
  await one.stop(arn)
})

test('the metadata endpoint tells a container of itself, its task and what it uses', async () => {
  const script =
    'for path in "" /task /stats /task/stats; do wget -qO- $ECS_CONTAINER_METADATA_URI_V4$path; echo; done; wget -qO- $ECS_CONTAINER_METADATA_URI_V4/bogus 2>&1'
  const arn = await one.run(
    [{ command: ['sh', '-c', `${script}; ${polite[2]}`], cpu: 10, dockerLabels: { a: 'b' } }],
    {
      cpu: '128',
      memory: '64',
    },
  )
  const task = await one.at(arn, 'RUNNING')
  const { Id, Name } = await one.inspect(task)
  await expect.poll(() => one.docker('logs', Id), { timeout: 10_000 }).toContain('HTTP/1.1 404')
  const [container, whole, stats, allStats] = (await one.docker('logs', Id))
    .split('\n')
    .slice(0, 4)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(container).toMatchObject({
    DockerId: Id,
    Name: 'main',
    DockerName: Name.slice(1),
    Image: one.image,
    ImageID: expect.stringMatching(/^sha256:/) as unknown,
    Labels: { a: 'b', 'com.amazonaws.ecs.task-arn': arn },
    DesiredStatus: 'RUNNING',
    Limits: { CPU: 10, Memory: 32 },
    Type: 'NORMAL',
    ContainerARN: task.containers?.[0]?.containerArn,
    Networks: [{ NetworkMode: 'bridge', IPv4Addresses: [expect.stringMatching(/^172\./)] }],
  })
  expect(whole).toMatchObject({
    Cluster: 'tasks',
    TaskARN: arn,
    Revision: '1',
    DesiredStatus: 'RUNNING',
    Limits: { CPU: 0.125, Memory: 64 },
    LaunchType: 'EC2',
    AvailabilityZone: task.availabilityZone,
    Containers: [{ DockerId: Id }],
  })
  expect(stats).toMatchObject({ id: Id, memory_stats: { limit: 32 * mebibyte } })
  expect(Object.keys(allStats ?? {})).toEqual([Id])
  await one.stop(arn)
})

test('the instance metadata service answers containers', async () => {
  const script = 'wget -qO- http://169.254.169.254/latest/meta-data/instance-id'
  expect(await one.printed(script)).toBe(one.instanceId)
})

test('the times of a task are in the order in which things happen', async () => {
  const arn = await one.run([{ command: polite }])
  await one.at(arn, 'RUNNING')
  const task = await one.stop(arn)
  const times = [
    task.createdAt,
    task.pullStartedAt,
    task.pullStoppedAt,
    task.startedAt,
    task.stoppingAt,
    task.executionStoppedAt,
    task.stoppedAt,
  ].map((time) => time?.getTime() ?? Number.NaN)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times).not.toContain(Number.NaN)
  expect(task.containers?.[0]).toMatchObject({
    imageDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as unknown,
    runtimeId: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    exitCode: 0,
  })
})

test('a signal that nobody catches shows in the exit code', async () => {
  const arn = await one.run([{ command: ['sleep', '1000'], linuxParameters: { initProcessEnabled: true } }])
  await one.at(arn, 'RUNNING')
  expect((await one.stop(arn)).containers?.[0]?.exitCode).toBe(143)
})
