import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeSsmMessage, encodeSsmMessage, type SsmMessage } from './ssm-message.ts'

const message: fc.Arbitrary<SsmMessage> = fc.record({
  messageType: fc.stringMatching(/^[a-z_]{1,32}$/),
  schemaVersion: fc.nat(),
  createdAt: fc.maxSafeNat(),
  sequenceNumber: fc.maxSafeInteger(),
  flags: fc.integer({ min: 0, max: 3 }),
  messageId: fc.uuid(),
  payloadType: fc.nat(),
  payload: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
})

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(message, (sent) => {
      expect(decodeSsmMessage(encodeSsmMessage(sent))).toEqual(sent)
    }),
  )
})

test('any bytes at all are a message or none, and never a failure', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const frame = Buffer.from(bytes)
      const message = decodeSsmMessage(frame)
      expect(message === undefined || frame.subarray(-message.payload.length).length > 0).toBe(true)
    }),
  )
})

test('a payload that was changed, cut or lengthened is none', () => {
  fc.assert(
    fc.property(
      message.filter(({ payload }) => payload.length > 0),
      fc.nat(),
      (sent, at) => {
        const frame = encodeSsmMessage(sent)
        const changed = Buffer.from(frame)
        const index = 120 + (at % sent.payload.length)
        changed[index] = (changed[index] ?? 0) ^ 1
        expect(decodeSsmMessage(changed)).toBeUndefined()
        expect(decodeSsmMessage(frame.subarray(0, -1))).toBeUndefined()
        expect(decodeSsmMessage(Buffer.concat([frame, Buffer.of(0)]))).toBeUndefined()
      },
    ),
  )
})

test('lies as the plugin lays it out', () => {
  const frame = encodeSsmMessage({
    messageType: 'input_stream_data',
    schemaVersion: 1,
    createdAt: 1_503_434_274_948,
    sequenceNumber: 2,
    flags: 3,
    messageId: 'dd01e56b-ff48-483e-a508-b5f073f31b16',
    payloadType: 1,
    payload: Buffer.from('payload'),
  })
  expect(frame.toString('hex')).toBe(
    [
      '00000074',
      Buffer.from('input_stream_data               ').toString('hex'),
      '00000001',
      '0000015e0baa7884',
      '0000000000000002',
      '0000000000000003',
      'a508b5f073f31b16dd01e56bff48483e',
      '239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5',
      '00000001',
      '00000007',
      Buffer.from('payload').toString('hex'),
    ].join(''),
  )
})

test('a type padded with zeroes is read too', () => {
  const frame = encodeSsmMessage({
    messageType: 'acknowledge',
    schemaVersion: 1,
    createdAt: 1,
    sequenceNumber: 0,
    flags: 3,
    messageId: 'dd01e56b-ff48-483e-a508-b5f073f31b16',
    payloadType: 0,
    payload: Buffer.alloc(0),
  })
  frame.fill(0, 4 + 'acknowledge'.length, 36)
  expect(decodeSsmMessage(frame)?.messageType).toBe('acknowledge')
})
