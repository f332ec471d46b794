import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Clock } from '@berth/std/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { SsmChannel } from './ssm-channel.ts'
import { decodeSsmMessage, encodeSsmMessage, payloadType } from './ssm-message.ts'

/** A clock that jumps to what is due next. */
class JumpingClock implements Clock {
  #now = 1_000_000
  readonly #calls = new Set<{ readonly at: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }

  at(at: number, callback: () => void): () => void {
    const call = { at, callback }
    this.#calls.add(call)
    return () => this.#calls.delete(call)
  }

  /** False when nothing is due within `horizonMs`. */
  jump(horizonMs = 60_000): boolean {
    const [next] = [...this.#calls].toSorted((left, right) => left.at - right.at)
    if (!next || next.at > this.#now + horizonMs) return false
    this.#now = Math.max(this.#now, next.at)
    this.#calls.delete(next)
    next.callback()
    return true
  }

  get pending(): number {
    return this.#calls.size
  }
}

/** Two channels over a line that loses, doubles and reorders frames, and a receiver that is not always ready. */
function line(seed: number, lossOf: number) {
  const chance = prng(seed)
  const ids = idsFrom(chance)
  const clock = new JumpingClock()
  const received: Buffer[] = []
  const under: Array<() => void> = []
  let isLossy = true
  let isReady = true
  const carry = (to: () => SsmChannel) => (frame: Buffer) => {
    const copies = !isLossy ? 1 : chance() < lossOf ? 0 : chance() < lossOf ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const index = isLossy && chance() < lossOf ? Math.floor(chance() * (under.length + 1)) : under.length
      under.splice(index, 0, () => to().hear(frame))
    }
  }
  const agent: SsmChannel = new SsmChannel('agent', {
    clock,
    ids,
    transmit: carry(() => client),
    receive: () => true,
  })
  const client: SsmChannel = new SsmChannel('client', {
    clock,
    ids,
    transmit: carry(() => agent),
    receive: (_, payload) => {
      isReady = !(isLossy && chance() < lossOf)
      if (!isReady) return false
      received.push(payload)
      return true
    },
  })
  return {
    agent,
    clock,
    received,
    /** Lets all frames arrive, and time pass, until nothing is under way. */
    settle: () => {
      for (let step = 0; step < 20_000; step++) {
        if (step === 10_000) isLossy = false
        client.flush()
        const next = under.shift()
        if (next) next()
        // A receiver that was not ready is asked again: its owner does so when there is room.
        else if (!clock.jump() && isReady) return
      }
      throw new Error('the line never came to rest')
    },
  }
}

test('what is sent arrives whole, once and in order, whatever the line loses, doubles and swaps', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { minLength: 1, maxLength: 20 }),
      (seed, lossOf, pieces) => {
        const { agent, received, settle } = line(seed, lossOf)
        let isIdle = false
        for (const piece of pieces) agent.send(payloadType.output, piece)
        agent.whenIdle(() => (isIdle = true))
        settle()
        expect(Buffer.concat(received).equals(Buffer.concat(pieces))).toBe(true)
        expect(isIdle).toBe(true)
      },
    ),
    // All acknowledged before its turn, and then refused by a receiver that is not ready.
    {
      numRuns: 40,
      examples: [[1097505023, 0.39516640943475073, Array.from({ length: 5 }, () => Uint8Array.of(0))]],
    },
  )
})

test('a pause sends nothing and forgets nothing', () => {
  const { agent, clock, received, settle } = line(1, 0)
  agent.send(payloadType.output, Buffer.from('before '))
  settle()
  agent.pause()
  agent.send(payloadType.output, Buffer.from('meanwhile'))
  expect(clock.pending).toBe(0)
  settle()
  expect(Buffer.concat(received).toString()).toBe('before ')
  agent.resume()
  settle()
  expect(Buffer.concat(received).toString()).toBe('before meanwhile')
})

/** One end, and what it transmits. */
function end(role: 'agent' | 'client', receive: () => boolean = () => true) {
  const sent: Buffer[] = []
  const clock = new JumpingClock()
  let closed: object | undefined
  let drained = 0
  const channel = new SsmChannel(role, {
    clock,
    ids: idsFrom(prng(1)),
    transmit: (frame) => sent.push(frame),
    receive,
    drained: () => drained++,
    closed: (content) => (closed = content),
  })
  return {
    channel,
    clock,
    sent,
    types: () => sent.map((frame) => decodeSsmMessage(frame)?.messageType),
    closed: () => closed,
    drained: () => drained,
  }
}

const frame = (messageType: string, sequenceNumber: number, content: object = {}): Buffer =>
  encodeSsmMessage({
    messageType,
    schemaVersion: 1,
    createdAt: 1,
    sequenceNumber,
    flags: 0,
    messageId: 'dd01e56b-ff48-483e-a508-b5f073f31b16',
    payloadType: payloadType.output,
    payload: Buffer.from(JSON.stringify(content)),
  })

test('an acknowledgement names the message, and one that was handled is acknowledged again', () => {
  const { channel, sent } = end('agent')
  channel.hear(frame('input_stream_data', 0))
  channel.hear(frame('input_stream_data', 0))
  expect(sent.map((bytes) => decodeSsmMessage(bytes))).toEqual(
    [0, 0].map(() => expect.objectContaining({ messageType: 'acknowledge', sequenceNumber: 0, flags: 3 })),
  )
  expect(JSON.parse(decodeSsmMessage(sent[1] ?? Buffer.alloc(0))?.payload.toString() ?? '')).toEqual({
    AcknowledgedMessageType: 'input_stream_data',
    AcknowledgedMessageId: 'dd01e56b-ff48-483e-a508-b5f073f31b16',
    AcknowledgedMessageSequenceNumber: 0,
    IsSequentialMessage: true,
  })
})

test('what is refused is acknowledged when it was taken', () => {
  let isReady = false
  const { channel, types } = end('agent', () => isReady)
  channel.hear(frame('input_stream_data', 0))
  expect(types()).toEqual([])
  isReady = true
  channel.flush()
  expect(types()).toEqual(['acknowledge'])
})

test('a sender that is far ahead is told to stop, and when to go on', () => {
  const { channel, sent, drained } = end('agent')
  expect(channel.send(payloadType.output, Buffer.alloc(1024 * 255))).toBe(true)
  expect(channel.send(payloadType.output, Buffer.alloc(1024))).toBe(false)
  expect(sent).toHaveLength(256)
  for (let sequence = 0; sequence < 129; sequence++)
    channel.hear(frame('acknowledge', 0, { AcknowledgedMessageSequenceNumber: sequence }))
  expect(drained()).toBe(1)
})

test('the first message of an agent begins its stream; that of a client does not say so', () => {
  for (const [role, flags] of [
    ['agent', 1],
    ['client', 0],
  ] as const) {
    const { channel, sent } = end(role)
    channel.send(payloadType.output, Buffer.from('x'))
    expect(decodeSsmMessage(sent[0] ?? Buffer.alloc(0))?.flags).toBe(flags)
  }
})

test("nonsense is dropped, the peer's own kind of stream too, and an end is told", () => {
  const { channel, sent, closed } = end('client')
  channel.hear(Buffer.from('nonsense'))
  channel.hear(frame('input_stream_data', 0))
  channel.hear(frame('agent_session_state', 0))
  expect(sent).toEqual([])
  channel.hear(frame('channel_closed', 0, { Output: 'over' }))
  expect(closed()).toEqual({ Output: 'over' })
})
