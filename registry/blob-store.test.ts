import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { BlobStore } from './blob-store.ts'
import { digestOf } from './digest.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-blobs-'))
afterAll(() => rmSync(directory, { recursive: true }))
const ids = idsFrom(prng(1))
const open = (): BlobStore => new BlobStore(directory, ids)
const bytes = (content: Uint8Array): Readable => Readable.from([Buffer.from(content)])

test('bytes come back as they went in, in whatever chunks and across restarts they came', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean()), {
        minLength: 1,
        maxLength: 6,
      }),
      async (chunks) => {
        let store = open()
        const upload = await store.startUpload()
        for (const [chunk, restart] of chunks) {
          if (restart) store = open()
          await store.append(upload, bytes(chunk))
        }
        const whole = Buffer.concat(chunks.map(([chunk]) => chunk))
        expect(await store.finishUpload(upload, digestOf(whole))).toBe(whole.length)
        expect(await buffer(open().read(digestOf(whole)))).toEqual(whole)
      },
    ),
    { numRuns: 30 },
  )
})

test('a wrong digest, a gap and an unknown upload are refused and leave no blob', async () => {
  const store = open()
  const upload = await store.startUpload()
  await store.append(upload, bytes(Buffer.from('abc')))
  await expect(store.append(upload, bytes(Buffer.from('x')), 7)).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_INVALID',
  })
  const other = digestOf('something else')
  await expect(store.finishUpload(upload, other)).rejects.toMatchObject({ code: 'DIGEST_INVALID' })
  expect(await store.size(other)).toBeUndefined()
  await store.cancelUpload(upload)
  await expect(store.uploadedSize(upload)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
  await expect(store.uploadedSize('../../etc/passwd')).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
})

test('an upload that broke off goes on from the bytes that reached the disk', async () => {
  const store = open()
  const upload = await store.startUpload()
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('first ')
      throw new Error('connection lost')
    })(),
  )
  await expect(store.append(upload, broken)).rejects.toThrow('connection lost')
  const had = await store.uploadedSize(upload)
  const whole = Buffer.from('first second')
  await store.append(upload, bytes(whole.subarray(had)), had)
  expect(await store.finishUpload(upload, digestOf(whole))).toBe(whole.length)
})
