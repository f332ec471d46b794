import { readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './segment.ts'

/** What happened to a group, and of an append the batch. */
export interface LogRecord {
  readonly head: RecordHead
  readonly batch?: Uint8Array
}

type RecordHead =
  | {
      readonly kind: 'stream'
      readonly group: string
      readonly id: number
      readonly name: string
      readonly at: number
    }
  | { readonly kind: 'gone'; readonly group: string; readonly id: number }
  | { readonly kind: 'groupGone'; readonly group: string }
  | { readonly kind: 'batch'; readonly group: string; readonly id: number }

const frameBytes = 12

/** `[length of all][checksum of what follows it][length of head] head batch`, the batch at a multiple of 4 bytes. */
function frame({ head, batch }: LogRecord): readonly Uint8Array[] {
  const text = JSON.stringify(head)
  const padded = text + ' '.repeat((4 - (Buffer.byteLength(text) % 4)) % 4)
  const front = Buffer.alloc(frameBytes + Buffer.byteLength(padded))
  front.writeUInt32LE(front.length + (batch?.length ?? 0), 0)
  front.writeUInt32LE(front.length - frameBytes, 8)
  front.write(padded, frameBytes)
  const headSum = crc32(front.subarray(8))
  front.writeUInt32LE(batch ? crc32(batch, headSum) : headSum, 4)
  return batch ? [front, batch] : [front]
}

interface Append {
  readonly record: LogRecord
  readonly applied: () => void
  readonly reject: (problem: Error) => void
}
interface Rotation {
  readonly rotated: (file: FileHandle) => void
  readonly reject: (problem: Error) => void
}

/** The file of a log by its number; logs are numbered in the order of their records. */
export const logFile = (directory: string, number: number): string => join(directory, `log-${number}`)

/**
 * Records appended to a file. All that is asked for while the disk is busy is written and made durable together, with
 * one wait for the disk.
 */
export class WriteAheadLog {
  readonly #directory: string
  #number: number
  #file: FileHandle
  #pending: Array<Append | Rotation> = []
  #flushing: Promise<void> | undefined
  #lost: Error | undefined
  #bytes = 0

  private constructor(directory: string, number: number, file: FileHandle) {
    this.#directory = directory
    this.#number = number
    this.#file = file
  }

  static async create(directory: string, number: number): Promise<WriteAheadLog> {
    return new WriteAheadLog(directory, number, await createFile(logFile(directory, number)))
  }

  /** Bytes of the present file. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Resolves when the record is on the disk, and calls `applied` then, in the order of the appends. After a rejection
   * the log is lost, and every append rejects.
   */
  append<Result>(record: LogRecord, applied: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => this.#push({ record, applied: () => resolve(applied()), reject }))
  }

  /**
   * Goes on in another file and resolves to the number of the one before. `rotated` is called when all of that one is
   * applied, and nothing of the new one is.
   */
  async rotate(rotated: () => void): Promise<number> {
    const before = this.#number
    const file = await createFile(logFile(this.#directory, before + 1))
    const old = await new Promise<FileHandle>((resolve, reject) =>
      this.#push({
        reject,
        rotated: (present) => {
          rotated()
          this.#file = file
          this.#number = before + 1
          this.#bytes = 0
          resolve(present)
        },
      }),
    )
    await old.close()
    return before
  }

  /** Ends when all that was appended is on the disk. */
  async close(): Promise<void> {
    await this.#flushing
    await this.#file.close()
  }

  #push(entry: Append | Rotation): void {
    if (this.#lost) return entry.reject(this.#lost)
    this.#pending.push(entry)
    this.#flushing ??= this.#flush()
  }

  async #flush(): Promise<void> {
    await Promise.resolve() // so that what is asked for in the same turn is written together
    while (this.#pending.length > 0) {
      const [head] = this.#pending
      if (head && 'rotated' in head) {
        this.#pending.shift()
        head.rotated(this.#file)
        continue
      }
      const end = this.#pending.findIndex((entry) => 'rotated' in entry)
      const taken = this.#pending.splice(0, end === -1 ? this.#pending.length : end) as Append[]
      try {
        await this.#write(taken.flatMap(({ record }) => frame(record)))
        for (const { applied } of taken) applied()
      } catch (error) {
        this.#lost = error instanceof Error ? error : new Error(String(error))
        for (const { reject } of [...taken, ...this.#pending.splice(0)]) reject(this.#lost)
      }
    }
    this.#flushing = undefined
  }

  async #write(buffers: readonly Uint8Array[]): Promise<void> {
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const { bytesWritten } = await this.#file.writev(buffers)
    if (bytesWritten !== length)
      throw new Error(`${logFile(this.#directory, this.#number)} took ${bytesWritten} of ${length} bytes`)
    await this.#file.datasync()
    this.#bytes += length
  }
}

async function createFile(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx', 0o600)
  syncDirectory(dirname(path))
  return file
}

/** The records of a log up to the first that is not whole: nobody was told that the rest was written. */
export function* readRecords(path: string): Generator<LogRecord> {
  const bytes = readFileSync(path)
  for (let at = 0; at + frameBytes <= bytes.length;) {
    const length = bytes.readUInt32LE(at)
    const headLength = bytes.readUInt32LE(at + 8)
    const end = at + length
    if (length < frameBytes + headLength || end > bytes.length) return
    if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32LE(at + 4)) return
    const batchAt = at + frameBytes + headLength
    const head = JSON.parse(bytes.toString('utf8', at + frameBytes, batchAt)) as RecordHead
    yield { head, ...(head.kind === 'batch' && { batch: bytes.subarray(batchAt, end) }) }
    at = end
  }
}
