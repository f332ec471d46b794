import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAcsAgentMessage, decodeAcsServerMessage } from './acs.ts'
import { encode } from './message.ts'
import { readRefusal, refusalBody, refusalTypes } from './refusal.ts'
import { decodeTcsAgentMessage, decodeTcsServerMessage } from './tcs.ts'

const instanceArn = 'arn:aws:ecs:us-east-1:123456789012:container-instance/proof/1111'
const taskArn = 'arn:aws:ecs:us-east-1:123456789012:task/proof/aaaa'
const clusterArn = 'arn:aws:ecs:us-east-1:123456789012:cluster/proof'
const decoders = {
  decodeAcsAgentMessage,
  decodeAcsServerMessage,
  decodeTcsAgentMessage,
  decodeTcsServerMessage,
}

describe.each(Object.entries(decoders))('%s', (_, read) => {
  test('reports any text instead of throwing', () => {
    fc.assert(
      fc.property(fc.string(), (frame) => {
        expect(read(frame).kind).not.toBe('message')
      }),
    )
  })

  test('reports any JSON instead of throwing', () => {
    const types = fc.constantFrom(
      'PayloadMessage',
      'AckRequest',
      'TaskStopVerificationMessage',
      'PublishHealthRequest',
      'PublishMetricsRequest',
      'AckPublishMetric',
      '__proto__',
      'constructor',
    )
    fc.assert(
      fc.property(types, fc.jsonValue(), (type, message) => {
        const decoded = read(JSON.stringify({ type, message }))
        expect(['message', 'unknown', 'malformed']).toContain(decoded.kind)
      }),
    )
  })
})

test('names an unknown type', () => {
  expect(decodeAcsAgentMessage('{"type":"PoetryRequest","message":{}}')).toEqual({
    kind: 'unknown',
    type: 'PoetryRequest',
  })
})

test('says which member does not fit', () => {
  const frame = JSON.stringify({
    type: 'TaskStopVerificationMessage',
    message: { messageId: 'm', stopCandidates: [{ taskArn: 7 }] },
  })
  expect(decodeAcsAgentMessage(frame)).toEqual({
    kind: 'malformed',
    type: 'TaskStopVerificationMessage',
    reason: 'message.stopCandidates[0].taskArn is not a string',
  })
})

test('leaves out members it does not know and reads null as absent', () => {
  const frame = JSON.stringify({
    type: 'IAMRoleCredentialsAckRequest',
    message: { messageId: 'm', credentialsId: 'c', expiration: null, more: 1 },
  })
  expect(decodeAcsAgentMessage(frame)).toEqual({
    kind: 'message',
    message: { type: 'IAMRoleCredentialsAckRequest', message: { messageId: 'm', credentialsId: 'c' } },
  })
})

test('a payload comes out as it went in', () => {
  const message = {
    type: 'PayloadMessage',
    message: {
      messageId: '0004',
      clusterArn,
      containerInstanceArn: instanceArn,
      seqNum: 1,
      generatedAt: 1_795_344_856_166,
      tasks: [
        {
          arn: taskArn,
          desiredStatus: 'RUNNING',
          family: 'proof',
          version: '1',
          cpu: 0.25,
          volumes: [{ name: 'data', type: 'host', host: {} }],
          containers: [
            {
              name: 'web',
              image: 'bb:1',
              essential: true,
              cpu: 64,
              memory: 64,
              environment: { FOO: 'bar' },
              portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }],
              mountPoints: [],
              volumesFrom: [],
              overrides: '{}',
              dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' },
            },
          ],
        },
      ],
    },
  } as const
  expect(decodeAcsServerMessage(encode(message))).toEqual({ kind: 'message', message })
})

test('a container that is only named is one without ports, mounts and limits', () => {
  const container = {
    name: 'web',
    image: 'bb:1',
    volumesFrom: null,
    dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' },
  }
  const tasks = [{ arn: taskArn, desiredStatus: 'RUNNING', containers: [container] }]
  const message = {
    messageId: 'm',
    clusterArn,
    containerInstanceArn: instanceArn,
    seqNum: 1,
    generatedAt: 1,
    tasks,
  }
  expect(decodeAcsServerMessage(encode({ type: 'PayloadMessage', message }))).toMatchObject({
    message: {
      message: {
        tasks: [
          {
            containers: [
              { essential: false, cpu: 0, memory: 0, environment: {}, portMappings: [], volumesFrom: [] },
            ],
          },
        ],
      },
    },
  })
})

test('a map may have a key called __proto__', () => {
  const frame = `{"type":"PayloadMessage","message":{"messageId":"m","clusterArn":"c","containerInstanceArn":"i",
    "seqNum":1,"generatedAt":1,"tasks":[{"arn":"a","desiredStatus":"RUNNING","volumes":[{"name":"v",
    "dockerVolumeConfiguration":{"labels":{"__proto__":"x"}}}]}]}}`
  const decoded = decodeAcsServerMessage(frame)
  expect(JSON.stringify(decoded)).toContain('"labels":{"__proto__":"x"}')
})

const health = JSON.stringify({
  type: 'PublishHealthRequest',
  message: {
    metadata: { cluster: 'proof', containerInstance: instanceArn, fin: true, messageId: 'ebd9' },
    tasks: [
      {
        taskArn,
        taskDefinitionFamily: 'rich',
        taskDefinitionVersion: '7',
        containers: [{ containerName: 'app', healthStatus: 'HEALTHY', statusSince: 1_795_346_748.339 }],
      },
    ],
    timestamp: 1_795_346_760.5,
  },
})
const signedHeaders = [
  'Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00',
  'Host: 127.0.0.1:18443',
  'X-Amz-Date: 20261122T112600Z',
]

test.each([
  ['bare', health],
  ['signed', [...signedHeaders, '', health].join('\r\n')],
  ['signed by a careless hand', [...signedHeaders, '', health].join('\n')],
])('a %s telemetry frame is read', (_, frame) => {
  const decoded = decodeTcsAgentMessage(frame)
  expect(decoded).toMatchObject({
    kind: 'message',
    message: {
      type: 'PublishHealthRequest',
      message: { tasks: [{ taskArn, containers: [{ containerName: 'app', healthStatus: 'HEALTHY' }] }] },
    },
  })
})

test('the first metrics of an idle agent have no tasks', () => {
  const frame = JSON.stringify({
    type: 'PublishMetricsRequest',
    message: { metadata: { cluster: 'proof', fin: true, idle: true, messageId: 'm' }, timestamp: 1.5 },
  })
  expect(decodeTcsAgentMessage(frame)).toMatchObject({ kind: 'message' })
})

test.each(refusalTypes)('a refusal %s is understood by an agent', (type) => {
  expect(readRefusal(refusalBody({ type, message: 'why' }))).toEqual({ type, message: 'why' })
  expect(readRefusal(JSON.stringify({ type, message: { message: 'why' } }))).toEqual({ type, message: 'why' })
})

test('a body that is no refusal is none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      expect(readRefusal(body)).toBeUndefined()
    }),
  )
})
