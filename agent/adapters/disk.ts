import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentDisk } from '#runtime/ports.ts'

const suffix = '.json'

/** Keeps each value in a JSON file of its own, which is replaced as a whole: a crash leaves the old one or the new. */
export class FileDisk implements AgentDisk {
  readonly #directory: string
  #attempts = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  async load(): Promise<ReadonlyMap<string, unknown>> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const values = new Map<string, unknown>()
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name)
      // What was being written when a former run ended was never promised to anybody.
      if (name.endsWith('.tmp')) await rm(path, { force: true })
      else if (name.endsWith(suffix)) {
        const value = await this.#read(path)
        if (value !== undefined) values.set(name.slice(0, -suffix.length), value)
      }
    }
    return values
  }

  /** A file that is no JSON, as a broken disk leaves it, is put aside: the other tasks must not go down with it. */
  async #read(path: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as unknown
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      await rename(path, `${path}.unreadable`)
      return undefined
    }
  }

  async save(key: string, value: unknown): Promise<void> {
    const path = join(this.#directory, key + suffix)
    const temporary = `${path}.${++this.#attempts}.tmp`
    try {
      const file = await open(temporary, 'w', 0o600)
      try {
        await file.writeFile(JSON.stringify(value))
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      // What was written of it would only make a full disk fuller.
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
    await this.#syncDirectory()
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#directory, key + suffix), { force: true })
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
}
