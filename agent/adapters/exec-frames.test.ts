import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frames } from './exec-frames.ts'

const frame = fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 50 }))

test('frames are found however the bytes were cut', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 20 })), (sent, cuts) => {
      const bytes = Buffer.concat(
        sent.flatMap(([stream, content]) => {
          const header = Buffer.alloc(8)
          header[0] = stream
          header.writeUInt32BE(content.length, 4)
          return [header, content]
        }),
      )
      const seen: Array<[string, Buffer]> = []
      const read = frames((stream, content) => seen.push([stream, Buffer.from(content)]))
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        read(bytes.subarray(at, at + cut))
        at += cut
      }
      expect(seen).toEqual(
        sent.map(([stream, content]) => [stream === 2 ? 'error' : 'output', Buffer.from(content)]),
      )
    }),
  )
})
