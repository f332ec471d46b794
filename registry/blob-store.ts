import type { Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Ids } from '@berth/std/id.ts'
import { isDigest, newDigest } from './digest.ts'

/** An upload that cannot go on as asked; `code` is the OCI distribution specification's. */
export class UploadError extends Error {
  readonly code: 'BLOB_UPLOAD_UNKNOWN' | 'BLOB_UPLOAD_INVALID' | 'DIGEST_INVALID' | 'SIZE_INVALID'
  constructor(code: UploadError['code'], message: string) {
    super(message)
    this.code = code
  }
}

interface Upload {
  size: number
  hash: Hash
  busy: boolean
}

/**
 * Blobs on disk by their digest, and the uploads on their way there:
 * `DIR/blobs/sha256/ab/abcd…` and `DIR/uploads/<id>`. A blob appears by rename, whole and verified, or not at all.
 */
export class BlobStore {
  readonly #directory: string
  readonly #ids: Ids
  readonly #uploads = new Map<string, Upload>()

  constructor(directory: string, ids: Ids) {
    this.#directory = directory
    this.#ids = ids
  }

  /** The blob's bytes; undefined when there is no such blob. */
  async size(digest: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(digest))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** The bytes from `start` to `end`, both included; all of them when not given. */
  read(digest: string, range: { start?: number; end?: number } = {}): Readable {
    return createReadStream(this.#path(digest), range)
  }

  async startUpload(): Promise<string> {
    const id = this.#ids.uuid()
    await mkdir(join(this.#directory, 'uploads'), { recursive: true })
    await (await open(this.#uploadPath(id), 'wx')).close()
    this.#uploads.set(id, { size: 0, hash: newDigest(), busy: false })
    return id
  }

  /** How many bytes the upload has. Throws `BLOB_UPLOAD_UNKNOWN`. */
  async uploadedSize(id: string): Promise<number> {
    return (await this.#upload(id)).size
  }

  /**
   * Adds bytes at the upload's end and returns its new size. Throws `BLOB_UPLOAD_UNKNOWN`, or
   * `BLOB_UPLOAD_INVALID` when `offset` is given and is not the end, or another request writes to it.
   */
  async append(id: string, bytes: Readable, offset?: number): Promise<number> {
    const upload = await this.#upload(id)
    if (upload.busy) throw new UploadError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload')
    if (offset !== undefined && offset !== upload.size)
      throw new UploadError(
        'BLOB_UPLOAD_INVALID',
        `the upload has ${upload.size} bytes, the chunk starts at ${offset}`,
      )
    upload.busy = true
    try {
      const file = createWriteStream(this.#uploadPath(id), { flags: 'r+', start: upload.size })
      await pipeline(
        bytes,
        async function* (source: AsyncIterable<Buffer>) {
          for await (const chunk of source) {
            upload.hash.update(chunk)
            upload.size += chunk.length
            yield chunk
          }
        },
        file,
      )
      return upload.size
    } catch (error) {
      // What reached the disk is not known: the upload starts again from what a look at the file shows.
      this.#uploads.delete(id)
      throw error
    } finally {
      upload.busy = false
    }
  }

  /** Makes the upload a blob; returns its size. Throws `DIGEST_INVALID` when its bytes have another digest. */
  async finishUpload(id: string, digest: string): Promise<number> {
    if (!isDigest(digest)) throw new UploadError('DIGEST_INVALID', `${digest} is not a sha256 digest`)
    const upload = await this.#upload(id)
    if (upload.busy) throw new UploadError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload')
    const actual = `sha256:${upload.hash.copy().digest('hex')}`
    if (actual !== digest)
      throw new UploadError('DIGEST_INVALID', `the uploaded bytes have the digest ${actual}, not ${digest}`)
    const path = this.#path(digest)
    await mkdir(dirname(path), { recursive: true })
    const file = await open(this.#uploadPath(id), 'r+')
    await file.sync()
    await file.close()
    await rename(this.#uploadPath(id), path)
    const folder = await open(dirname(path), 'r')
    await folder.sync()
    await folder.close()
    this.#uploads.delete(id)
    return upload.size
  }

  async cancelUpload(id: string): Promise<void> {
    await this.#upload(id)
    this.#uploads.delete(id)
    await rm(this.#uploadPath(id), { force: true })
  }

  async delete(digest: string): Promise<void> {
    await rm(this.#path(digest), { force: true })
  }

  /** Every blob with the time it was written, in milliseconds. */
  async *blobs(): AsyncIterable<{ digest: string; writtenAt: number }> {
    const root = join(this.#directory, 'blobs', 'sha256')
    for (const shard of await list(root))
      for (const hex of await list(join(root, shard))) {
        const found = await stat(join(root, shard, hex))
        yield { digest: `sha256:${hex}`, writtenAt: found.mtimeMs }
      }
  }

  /** Every unfinished upload with the time it was last written to, in milliseconds. */
  async *uploads(): AsyncIterable<{ id: string; writtenAt: number }> {
    for (const id of await list(join(this.#directory, 'uploads'))) {
      const found = await stat(this.#uploadPath(id))
      yield { id, writtenAt: found.mtimeMs }
    }
  }

  /** The upload; one begun before a restart is read again from its file. */
  async #upload(id: string): Promise<Upload> {
    const known = this.#uploads.get(id)
    if (known) return known
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new UploadError('BLOB_UPLOAD_UNKNOWN', `there is no upload ${id}`)
    const upload: Upload = { size: 0, hash: newDigest(), busy: false }
    try {
      for await (const chunk of createReadStream(this.#uploadPath(id)) as AsyncIterable<Buffer>) {
        upload.hash.update(chunk)
        upload.size += chunk.length
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new UploadError('BLOB_UPLOAD_UNKNOWN', `there is no upload ${id}`)
      throw error
    }
    this.#uploads.set(id, upload)
    return upload
  }

  #path(digest: string): string {
    const hex = digest.slice('sha256:'.length)
    return join(this.#directory, 'blobs', 'sha256', hex.slice(0, 2), hex)
  }

  #uploadPath(id: string): string {
    return join(this.#directory, 'uploads', id)
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
