import { describe, expect, test } from 'vitest'
import { memoryJournal } from '#state/journal.ts'
import { Store } from '#state/store.ts'
import {
  arnOf,
  clusterArn,
  connect,
  definitionRow,
  gatewayOn,
  instanceArn,
  instanceRow,
  query,
  TestAgent,
  taskRow,
  testGateway,
} from './agent-gateway-testing.ts'
import { payloadAckMs } from './agent-gateway-acs.ts'
import { agentReturnAfterStartMs, agentReturnMs } from './agent-gateway.ts'

const tcsQuery = { containerInstanceArn: instanceArn, cluster: 'demo' }

/** Long enough for whatever was set going to come to rest. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

describe('connecting', () => {
  test('writes that the agent is there, what it is, and greets it with all that should run', async () => {
    const at = await testGateway(
      taskRow('a'),
      taskRow('b', { desiredStatus: 'STOPPED', lastStatus: 'RUNNING' }),
    )
    expect(at.gateway.told(instanceArn)).toBeUndefined()

    const agent = await connect(at.gateway, at)

    expect(at.instance()).toEqual({
      ...instanceRow,
      agentConnected: true,
      versionInfo: {
        agentVersion: '1.105.0',
        agentHash: '5c45eef5',
        dockerVersion: 'DockerVersion: 20.10.24+dfsg1',
      },
      version: 2,
    })
    expect(agent.heard('TaskManifestMessage')).toMatchObject([
      {
        clusterArn,
        containerInstanceArn: instanceArn,
        tasks: [
          { taskArn: arnOf('a'), taskClusterArn: clusterArn, desiredStatus: 'RUNNING' },
          { taskArn: arnOf('b'), taskClusterArn: clusterArn, desiredStatus: 'STOPPED' },
        ],
      },
    ])
    expect(at.gateway.told(instanceArn)?.size).toBe(0)
  })

  test.each([
    ['an instance nobody knows', { containerInstanceArn: `${instanceArn}x` }, 'InvalidInstanceException'],
    ['another cluster', { cluster: 'other' }, 'InvalidClusterException'],
    ['no cluster, which is the default one', { cluster: '' }, 'InvalidClusterException'],
  ])('refuses %s', async (_, said, type) => {
    const { gateway } = await testGateway()
    expect(gateway.admit({ ...tcsQuery, ...said })).toMatchObject({ type })
  })

  test('refuses an instance that was deregistered and takes the cluster by name or ARN', async () => {
    const at = await testGateway()
    expect(at.gateway.admit(tcsQuery)).toBeUndefined()
    expect(at.gateway.admit({ ...tcsQuery, cluster: clusterArn })).toBeUndefined()
    at.store.update((tx) => tx.put('containerInstance', { ...instanceRow, status: 'INACTIVE' }))
    expect(at.gateway.admit(tcsQuery)).toMatchObject({ type: 'InactiveInstanceException' })
  })

  test('the newest connection wins, and the end of the older one changes nothing', async () => {
    const at = await testGateway()
    const older = await connect(at.gateway, at)
    const newer = await connect(at.gateway, at)
    expect(older.closedWith).toBe(1008)
    older.hangUp()
    expect(at.instance()).not.toHaveProperty('agentLostBy')

    at.put(taskRow('a'))
    await at.gateway.tell(instanceArn, [arnOf('a')])
    expect(older.heard('PayloadMessage')).toEqual([])
    expect(newer.heard('PayloadMessage')).toHaveLength(1)
  })

  test('a deregistered instance is sent away, to be refused when it comes back', async () => {
    const at = await testGateway()
    const agent = await connect(at.gateway, at)
    at.store.update((tx) =>
      tx.put('containerInstance', { ...instanceRow, agentConnected: true, status: 'INACTIVE' }),
    )
    await at.store.durable()
    await Promise.resolve()
    expect(agent.closedWith).toBe(1000)
    expect(at.instance()).toMatchObject({ status: 'INACTIVE', agentConnected: false })
    expect(at.gateway.told(instanceArn)).toBeUndefined()
  })
})

describe('telling', () => {
  test('sends each task in a message of its own and remembers it as told', async () => {
    const at = await testGateway(taskRow('a'), taskRow('b'))
    const agent = await connect(at.gateway, at)
    await at.gateway.tell(instanceArn, [arnOf('a'), arnOf('b'), arnOf('gone')])

    const payloads = agent.heard('PayloadMessage')
    expect(payloads.map(({ tasks }) => tasks.map(({ arn }) => arn))).toEqual([[arnOf('a')], [arnOf('b')]])
    expect(payloads[0]?.tasks[0]?.containers).toMatchObject([
      {
        name: 'web',
        registryAuthentication: { ecrAuthData: { endpointOverride: at.installation.agentUrl(instanceArn) } },
      },
    ])
    expect([...(at.gateway.told(instanceArn) ?? [])]).toEqual([
      [arnOf('a'), 'RUNNING'],
      [arnOf('b'), 'RUNNING'],
    ])
  })

  test('an acknowledged payload stays told, another is forgotten after a while and told again', async () => {
    const at = await testGateway(taskRow('a'), taskRow('b'))
    const agent = await connect(at.gateway, at)
    await at.gateway.tell(instanceArn, [arnOf('a'), arnOf('b')])
    const [first] = agent.heard('PayloadMessage')
    agent.acknowledge(first?.messageId ?? '')

    at.clock.advance(payloadAckMs - 1)
    expect(at.gateway.told(instanceArn)?.size).toBe(2)
    at.clock.advance(1)
    expect([...(at.gateway.told(instanceArn)?.keys() ?? [])]).toEqual([arnOf('a')])

    await at.gateway.tell(instanceArn, [arnOf('b')])
    expect(agent.heard('PayloadMessage').at(-1)?.tasks[0]?.arn).toBe(arnOf('b'))
  })

  test('a lost payload does not make a later one be forgotten', async () => {
    const at = await testGateway(taskRow('a'))
    const agent = await connect(at.gateway, at)
    await at.gateway.tell(instanceArn, [arnOf('a')])
    at.put(taskRow('a', { desiredStatus: 'STOPPED' }))
    await at.gateway.tell(instanceArn, [arnOf('a')])
    agent.acknowledge(agent.heard('PayloadMessage')[1]?.messageId ?? '')
    at.clock.advance(60_000)
    expect(at.gateway.told(instanceArn)?.get(arnOf('a'))).toBe('STOPPED')
  })

  test('a known task is stopped by name, one the agent never spoke of is described', async () => {
    const at = await testGateway(
      taskRow('known', { desiredStatus: 'STOPPED', lastStatus: 'RUNNING' }),
      taskRow('new', { desiredStatus: 'STOPPED' }),
    )
    const agent = await connect(at.gateway, at)
    await at.gateway.tell(instanceArn, [arnOf('known'), arnOf('new')])
    const [known, fresh] = agent.heard('PayloadMessage').map(({ tasks }) => tasks[0])
    expect(known).toEqual({ arn: arnOf('known'), taskClusterArn: clusterArn, desiredStatus: 'STOPPED' })
    expect(fresh).toMatchObject({ desiredStatus: 'STOPPED', containers: [{ name: 'web' }] })
  })

  test('the next session is told everything anew but the tasks its agent keeps running', async () => {
    const at = await testGateway(taskRow('a'), taskRow('b'))
    const first = await connect(at.gateway, at)
    await at.gateway.tell(instanceArn, [arnOf('a'), arnOf('b')])
    at.put(taskRow('b', { lastStatus: 'RUNNING' }))
    first.hangUp()
    expect(at.gateway.told(instanceArn)).toBeUndefined()

    await connect(at.gateway, at)
    expect([...(at.gateway.told(instanceArn) ?? [])]).toEqual([[arnOf('b'), 'RUNNING']])
  })

  test('what was told of a task is forgotten when it has stopped', async () => {
    const at = await testGateway(taskRow('a', { lastStatus: 'RUNNING' }))
    await connect(at.gateway, at)
    expect(at.gateway.told(instanceArn)?.size).toBe(1)
    at.put(taskRow('a', { desiredStatus: 'STOPPED', lastStatus: 'STOPPED' }))
    expect(at.gateway.told(instanceArn)?.size).toBe(0)
  })

  test('numbers rise within a millisecond, and across a restart of the control plane', async () => {
    const at = await testGateway(taskRow('a'), taskRow('b'))
    const numbersOf = (agent: TestAgent): number[] => [
      ...agent.heard('TaskManifestMessage').map(({ timeline }) => timeline),
      ...agent.heard('PayloadMessage').map(({ seqNum }) => seqNum),
    ]
    const before = await connect(at.gateway, at)
    await at.gateway.tell(instanceArn, [arnOf('a'), arnOf('b')])
    at.gateway.close()
    expect(before.closedWith).toBe(1001)

    at.clock.advance(1000)
    const gateway = gatewayOn(at, at.metrics, at.problems)
    const after = await connect(gateway, at)
    await gateway.tell(instanceArn, [arnOf('a')])
    const numbers = [...numbersOf(before), ...numbersOf(after)]
    expect(numbers).toHaveLength(5)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((left, right) => left - right))
  })

  test('nothing is said before the rows are in the journal, and the manifest before any payload', async () => {
    const writes: Array<() => void> = []
    const journal = { ...memoryJournal, append: () => new Promise<void>((resolve) => writes.push(resolve)) }
    const store = await Store.open(journal)
    const at = await testGateway()
    store.update((tx) => {
      tx.put('containerInstance', instanceRow)
      tx.put('taskDefinition', definitionRow)
      tx.put('task', taskRow('a'))
    })
    const gateway = gatewayOn({ ...at, store }, at.metrics, at.problems)
    const agent = new TestAgent()
    gateway.openAcs(query, agent.socket)
    let telling = gateway.tell(instanceArn, [arnOf('a')])
    await turns()
    expect(agent.frames).toEqual([])

    writes.shift()?.()
    await telling
    const heard = (): unknown[] => agent.frames.map((frame) => (JSON.parse(frame) as { type: string }).type)
    expect(heard()).toEqual(['TaskManifestMessage', 'PayloadMessage'])

    store.update((tx) => tx.put('task', taskRow('b')))
    telling = gateway.tell(instanceArn, [arnOf('b')])
    await turns()
    expect(heard()).toHaveLength(2)
    writes.shift()?.()
    await telling
    expect(heard()).toHaveLength(3)
  })
})

describe('the answer to what an agent would stop', () => {
  const candidates = ['running', 'elsewhere', 'stopping', 'unknown'].map((id) => ({
    taskArn: arnOf(id),
    taskClusterArn: clusterArn,
    desiredStatus: 'STOPPED' as const,
  }))
  const rows = [
    taskRow('running', { lastStatus: 'RUNNING' }),
    taskRow('elsewhere', { containerInstanceArn: `${instanceArn}4` }),
    taskRow('stopping', { desiredStatus: 'STOPPED', lastStatus: 'RUNNING' }),
  ]
  const mayStop = [arnOf('elsewhere'), arnOf('stopping'), arnOf('unknown')]

  test('confirms those that really have to stop', async () => {
    const at = await testGateway(...rows)
    const agent = await connect(at.gateway, at)
    agent.say({
      type: 'TaskStopVerificationMessage',
      message: { messageId: 'm', stopCandidates: candidates },
    })
    await expect.poll(() => agent.heard('TaskStopVerificationAck')).toHaveLength(1)
    const [answer] = agent.heard('TaskStopVerificationAck')
    expect(answer?.messageId).toBe('m')
    expect(answer?.stopTasks.map(({ taskArn }) => taskArn)).toEqual(mayStop)
  })

  test('stops them by payload where the agent would leave their containers', async () => {
    const at = await testGateway(...rows)
    const agent = await connect(at.gateway, at, { agentVersion: '1.72.0' })
    agent.say({
      type: 'TaskStopVerificationMessage',
      message: { messageId: 'm', stopCandidates: candidates },
    })
    await expect.poll(() => agent.heard('PayloadMessage')).toHaveLength(3)
    expect(agent.heard('PayloadMessage').map(({ tasks }) => tasks[0]?.arn)).toEqual(mayStop)
    expect(agent.heard('TaskStopVerificationAck')).toEqual([])
  })

  test('says nothing when all of them are to run', async () => {
    const at = await testGateway(...rows)
    const agent = await connect(at.gateway, at)
    agent.say({
      type: 'TaskStopVerificationMessage',
      message: { messageId: 'm', stopCandidates: candidates.slice(0, 1) },
    })
    await turns()
    expect(agent.heard('TaskStopVerificationAck')).toEqual([])
  })
})

describe('losing an agent', () => {
  test('a heartbeat comes every half minute, and an agent that answers none for three is cut off', async () => {
    const at = await testGateway()
    const agent = await connect(at.gateway, at)
    for (let second = 0; second < 90; second++) at.clock.advance(1000)
    expect(agent.heard('HeartbeatMessage').length).toBeGreaterThanOrEqual(3)
    expect(agent.closedWith).toBeUndefined()
    for (let second = 0; second < 30; second++) at.clock.advance(1000)
    expect(agent.closedWith).toBe(1001)
    expect(at.instance()?.agentLostBy).toBeGreaterThan(at.clock.now() - 30_000 + agentReturnMs - 1)
  })

  test('an agent that answers is kept, and so is one too old to answer', async () => {
    const at = await testGateway()
    const agent = await connect(at.gateway, at)
    for (let second = 0; second < 600; second++) {
      at.clock.advance(1000)
      agent.say({ type: 'HeartbeatAckRequest', message: { messageId: 'm' } })
    }
    expect(agent.closedWith).toBeUndefined()

    const silent = await connect(at.gateway, at, { protocolVersion: 1 })
    for (let second = 0; second < 600; second++) at.clock.advance(1000)
    expect(silent.closedWith).toBeUndefined()
  })

  test('leaves it connected for as long as it may take to come back', async () => {
    const at = await testGateway()
    const agent = await connect(at.gateway, at)
    agent.hangUp()
    expect(at.instance()).toMatchObject({
      agentConnected: true,
      agentLostBy: at.clock.now() + agentReturnMs,
      version: 2,
    })
    await connect(at.gateway, at)
    expect(at.instance()).toMatchObject({ agentConnected: true, version: 2 })
    expect(at.instance()).not.toHaveProperty('agentLostBy')
  })

  test('after a restart every connected agent has time to find the control plane', async () => {
    const at = await testGateway()
    await connect(at.gateway, at)
    at.gateway.close()
    expect(at.instance()).not.toHaveProperty('agentLostBy')
    at.clock.advance(3_600_000)
    gatewayOn(at, at.metrics, at.problems)
    expect(at.instance()?.agentLostBy).toBe(at.clock.now() + agentReturnAfterStartMs)
  })

  test('reports what it cannot read and stays', async () => {
    const at = await testGateway()
    const agent = await connect(at.gateway, at)
    for (const frame of ['', '{', '{"type":"Poem"}', '{"type":"AckRequest"}']) agent.socket.onMessage(frame)
    expect(at.problems).toHaveLength(4)
    expect(agent.closedWith).toBeUndefined()
  })
})

test('an agent that asks what its containers are is told of each task whole, and of what is over that there is nothing', async () => {
  const at = await testGateway(
    taskRow('a', { lastStatus: 'RUNNING' }),
    taskRow('b', { desiredStatus: 'STOPPED', lastStatus: 'RUNNING' }),
    taskRow('over', { desiredStatus: 'STOPPED', lastStatus: 'STOPPED' }),
    taskRow('elsewhere', { containerInstanceArn: `${instanceArn}4` }),
  )
  const agent = await connect(at.gateway, at)
  const taskArns = ['a', 'b', 'over', 'elsewhere', 'unknown'].map(arnOf)
  agent.say({
    type: 'BerthTasksRequest',
    message: { messageId: '1', containerInstance: instanceArn, taskArns },
  })
  await at.store.durable()
  await turns()
  expect(agent.heard('PayloadMessage').map(({ tasks }) => tasks)).toMatchObject([
    [{ arn: arnOf('a'), desiredStatus: 'RUNNING', containers: [{ name: 'web' }] }],
    [{ arn: arnOf('b'), desiredStatus: 'STOPPED', containers: [{ name: 'web' }] }],
    [{ arn: arnOf('over'), desiredStatus: 'STOPPED', containers: [] }],
    [{ arn: arnOf('elsewhere'), desiredStatus: 'STOPPED', containers: [] }],
    [{ arn: arnOf('unknown'), desiredStatus: 'STOPPED', containers: [] }],
  ])
  expect(at.problems).toEqual([])
})
