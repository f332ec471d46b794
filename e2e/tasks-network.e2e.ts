import { createSocket } from 'node:dgram'
import type { KeyValuePair, NetworkBinding, PortMapping, Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './world.ts'
import { OneInstance, polite, runtimeId } from './one-instance.ts'

let one: OneInstance

beforeAll(async () => {
  one = await OneInstance.start()
})
afterAll(() => one.end())

/** A web server that answers with `text` on each of `ports`. */
const web = (text: string, portMappings: PortMapping[], ports: readonly number[] = [80]) => ({
  command: [
    'sh',
    '-c',
    `mkdir /tmp/www; echo ${text} > /tmp/www/index.html; ` +
      `for port in ${ports.join(' ')}; do httpd -p $port -h /tmp/www; done; ${polite[2]}`,
  ],
  portMappings,
})
const answerAt = (port: number | undefined): Promise<string> =>
  eventually(
    `port ${port} of the instance answers`,
    async () => {
      const response = await fetch(`http://${one.address}:${port}/`, { signal: AbortSignal.timeout(1000) })
      return (await response.text()).trim()
    },
    5,
  )
const bindingsOf = (task: Task, index = 0): NetworkBinding[] =>
  task.containers?.[index]?.networkBindings ?? []

test('static and dynamic host ports lead to the container, and a freed one is used again', async () => {
  const arn = await one.run([
    web('static', [{ containerPort: 80, hostPort: 8080 }]),
    web('dynamic', [{ containerPort: 80 }]),
    web('too', [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }]),
  ])
  const task = await one.at(arn, 'RUNNING')
  expect(bindingsOf(task)).toEqual([
    { bindIP: '0.0.0.0', containerPort: 80, hostPort: 8080, protocol: 'tcp' },
  ])
  expect(await answerAt(8080)).toBe('static')
  const dynamic = ['side-1', 'side-2'].map(
    (name) => task.containers?.find((container) => container.name === name)?.networkBindings?.[0]?.hostPort,
  )
  expect(new Set(dynamic)).toEqual(new Set([32768, 32769]))
  expect(await Promise.all(dynamic.map(answerAt))).toEqual(['dynamic', 'too'])
  const stopped = await one.stop(arn)
  expect(bindingsOf(stopped)).toEqual(bindingsOf(task))
  const again = await one.run([web('again', [{ containerPort: 80 }])])
  expect(bindingsOf(await one.at(again, 'RUNNING'))[0]?.hostPort).toBe(32768)
  await one.stop(again)
})

test('a range of ports gets a block of the host, reported as one', async () => {
  const arn = await one.run([web('range', [{ containerPortRange: '9000-9002' }], [9000, 9001, 9002])])
  const task = await one.at(arn, 'RUNNING')
  expect(bindingsOf(task)).toEqual([
    { bindIP: '0.0.0.0', containerPortRange: '9000-9002', hostPortRange: '32768-32770', protocol: 'tcp' },
  ])
  expect(await Promise.all([32768, 32769, 32770].map(answerAt))).toEqual(['range', 'range', 'range'])
  await one.stop(arn)
})

test('the same port for tcp and udp', async () => {
  const arn = await one.run([
    {
      command: polite,
      portMappings: [
        { containerPort: 53, hostPort: 5353, protocol: 'udp' },
        { containerPort: 53, hostPort: 5353, protocol: 'tcp' },
      ],
    },
  ])
  const task = await one.at(arn, 'RUNNING')
  const bindIP = '0.0.0.0'
  expect(bindingsOf(task)).toEqual([
    { bindIP, containerPort: 53, hostPort: 5353, protocol: 'udp' },
    { bindIP, containerPort: 53, hostPort: 5353, protocol: 'tcp' },
  ])
  // Nothing listens there: the container's kernel says so, which shows that the datagram came to it.
  const socket = createSocket('udp4')
  const before = await unheard(task)
  await new Promise((done) => socket.send('anybody?', 5353, one.address, done))
  await eventually('the datagram comes to the container', async () => (await unheard(task)) > before, 5)
  socket.close()
  await one.stop(arn)
})

/** How many datagrams came to ports of the container where nobody listens. */
async function unheard(task: Task): Promise<number> {
  const table = await one.docker('exec', runtimeId(task), 'grep', '^Udp:', '/proc/net/snmp')
  const [names = [], values = []] = table.split('\n').map((line) => line.split(' '))
  return Number(values[names.indexOf('NoPorts')])
}

test('in network mode host a container has the address of the instance, and its ports are told', async () => {
  const arn = await one.run([web('host', [{ containerPort: 8081 }], [8081])], { networkMode: 'host' })
  const task = await one.at(arn, 'RUNNING')
  expect(bindingsOf(task)).toEqual([
    { bindIP: '0.0.0.0', containerPort: 8081, hostPort: 8081, protocol: 'tcp' },
  ])
  expect(await answerAt(8081)).toBe('host')
  expect(await one.docker('exec', runtimeId(task), 'ip', 'addr')).toContain(one.address)
  const ask = 'wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task'
  expect(JSON.parse(await one.docker('exec', runtimeId(task), 'sh', '-c', ask))).toMatchObject({
    TaskARN: arn,
  })
  await one.stop(arn)
})

test('in network mode none there is nothing but loopback', async () => {
  const arn = await one.run([{ command: polite }], { networkMode: 'none' })
  const task = await one.at(arn, 'RUNNING')
  expect(bindingsOf(task)).toEqual([])
  expect(await one.docker('exec', runtimeId(task), 'ls', '/sys/class/net')).toBe('lo')
  await one.stop(arn)
})

test('a linked container is found by its alias, and containers of other tasks by the instance', async () => {
  const found = 'wget -qO- http://server/ && wget -qO- http://$INSTANCE:8082/'
  const environment: KeyValuePair[] = [{ name: 'INSTANCE', value: one.address }]
  const arn = await one.run([
    {
      command: ['sh', '-c', found],
      links: ['web:server'],
      environment,
      dependsOn: [{ containerName: 'web', condition: 'HEALTHY' }],
    },
    {
      name: 'web',
      ...web('linked', [{ containerPort: 80, hostPort: 8082 }]),
      healthCheck: {
        command: ['CMD-SHELL', 'wget -qO /dev/null http://localhost/'],
        interval: 5,
        startPeriod: 1,
      },
    },
  ])
  const task = await one.at(arn, 'STOPPED')
  expect(await one.docker('logs', runtimeId(task))).toBe('linked\nlinked')
})
