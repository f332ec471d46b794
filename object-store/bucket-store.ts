/**
 * Buckets and their objects in a directory. An object is a file of bytes and a file that describes it; the description,
 * which is replaced as a whole, names the bytes that count, so a reader sees one version or the other.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { AwsError } from '@berth/wire/error.ts'

export interface Bucket {
  readonly name: string
  readonly accountId: string
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export interface StoredObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** The MD5 digest in hexadecimal. */
  readonly etag: string
  readonly contentType: string
  /** `x-amz-meta-…` headers, by their whole name. */
  readonly metadata: Readonly<Record<string, string>>
  readonly lastModified: number
  /** The name of the file with its bytes. */
  readonly bytes: string
}

export class BucketStore {
  readonly #directory: string
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(directory: string, clock: Clock, ids: Ids) {
    this.#directory = directory
    this.#clock = clock
    this.#ids = ids
  }

  async buckets(): Promise<Bucket[]> {
    const names = await namesIn(this.#directory)
    const found = await Promise.all(names.map((name) => this.#readBucket(name)))
    return found.filter((bucket) => bucket !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Throws an AwsError when there is none of that name. */
  async bucket(name: string): Promise<Bucket> {
    const bucket = await this.#readBucket(name)
    if (!bucket) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404)
    return bucket
  }

  async createBucket(bucket: Omit<Bucket, 'createdAt'>): Promise<void> {
    const known = await this.#readBucket(bucket.name)
    if (known?.accountId === bucket.accountId)
      throw new AwsError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        409,
      )
    if (known)
      throw new AwsError(
        'BucketAlreadyExists',
        'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
        409,
      )
    await mkdir(join(this.#directory, bucket.name), { recursive: true, mode: 0o700 })
    await this.#writeJson(join(this.#directory, bucket.name, 'bucket'), {
      ...bucket,
      createdAt: this.#clock.now(),
    })
  }

  async deleteBucket(name: string): Promise<void> {
    if ((await this.list(name)).length > 0)
      throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409)
    const directory = join(this.#directory, name)
    await rm(join(directory, 'bucket'), { force: true })
    for (const left of await namesIn(directory)) await rm(join(directory, left), { force: true })
    await rmdir(directory)
  }

  /** All objects of a bucket, by their keys as bytes. */
  async list(bucket: string): Promise<StoredObject[]> {
    const directory = join(this.#directory, bucket)
    const descriptions = (await namesIn(directory)).filter((name) => name.endsWith('.object'))
    const found = await Promise.all(descriptions.map((name) => readJson<StoredObject>(join(directory, name))))
    return found.filter((object) => object !== undefined).toSorted((a, b) => compareKeys(a.key, b.key))
  }

  /** Throws an AwsError when there is none of that key. */
  async object(bucket: string, key: string): Promise<StoredObject> {
    const object = await readJson<StoredObject>(this.#descriptionOf(bucket, key))
    if (object) return object
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key })
  }

  read(bucket: string, object: StoredObject): Promise<Buffer> {
    return readFile(join(this.#directory, bucket, object.bytes))
  }

  /** Resolves when the object would survive the loss of power. */
  async put(
    bucket: string,
    key: string,
    content: Buffer,
    { contentType, metadata }: Pick<StoredObject, 'contentType' | 'metadata'>,
  ): Promise<StoredObject> {
    const before = await readJson<StoredObject>(this.#descriptionOf(bucket, key))
    const bytes = `${this.#ids.hex(32)}.bytes`
    const directory = join(this.#directory, bucket)
    await writeDurably(join(directory, bytes), content)
    const object: StoredObject = {
      key,
      size: content.length,
      etag: createHash('md5').update(content).digest('hex'),
      contentType,
      metadata,
      lastModified: this.#clock.now(),
      bytes,
    }
    await this.#writeJson(this.#descriptionOf(bucket, key), object)
    if (before) await rm(join(directory, before.bytes), { force: true })
    return object
  }

  /** One that is not there is fine. */
  async delete(bucket: string, key: string): Promise<void> {
    const object = await readJson<StoredObject>(this.#descriptionOf(bucket, key))
    if (!object) return
    await rm(this.#descriptionOf(bucket, key), { force: true })
    await rm(join(this.#directory, bucket, object.bytes), { force: true })
  }

  /** Keys are longer than names of files may be, and hold what those may not. */
  #descriptionOf(bucket: string, key: string): string {
    return join(this.#directory, bucket, `${createHash('sha256').update(key).digest('hex')}.object`)
  }

  #readBucket(name: string): Promise<Bucket | undefined> {
    return bucketName.test(name)
      ? readJson<Bucket>(join(this.#directory, name, 'bucket'))
      : Promise.resolve(undefined)
  }

  async #writeJson(file: string, value: object): Promise<void> {
    const fresh = `${file}.${this.#ids.hex(8)}.new`
    await writeDurably(fresh, Buffer.from(JSON.stringify(value)))
    await rename(fresh, file)
  }
}

/** S3 orders keys by their bytes in UTF-8. */
export function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, as far as it keeps names apart from paths. */
export const bucketName = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

async function namesIn(directory: string): Promise<string[]> {
  return (await whenThere(readdir(directory))) ?? []
}

async function readJson<T>(file: string): Promise<T | undefined> {
  const text = await whenThere(readFile(file, 'utf8'))
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

async function whenThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

async function writeDurably(file: string, content: Buffer): Promise<void> {
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
