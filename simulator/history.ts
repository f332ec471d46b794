/** What happened in a run, in short lines: who did what when. */
import { createHash } from 'node:crypto'
import type { Change } from '@berth/control-plane/state/store.ts'
import { tables } from '@berth/control-plane/state/tables.ts'
import type { Clock } from '@berth/std/clock.ts'

/** Lines shown of what came last, and of all that names what a violation names. */
const lastMax = 60
const namedMax = 150
/** In a member of a row longer texts are cut. */
const textMax = 80
/** Members that change with every other. */
const plain = new Set(['version', 'updatedAt'])
/** What is said of a row that comes. */
const telling = [
  'lastStatus',
  'status',
  'state',
  'desiredCount',
  'deploymentId',
  'containerInstanceArn',
  'taskDefinitionArn',
  'ec2InstanceId',
  'message',
]
const arnStart = /arn:aws:\w+:[\w-]*:\d*:/g
/** What tells one object from another in a line: the ids of tasks, instances, deployments, EC2 instances; names of services. */
const identity = /(?:service|cluster|daemon)\/[\w/-]+|\b[0-9a-f]{32}\b|\bi-[0-9a-f]{17}\b|\becs-svc\/\d+/g

export class History {
  readonly #clock: Clock
  readonly #startMs: number
  readonly #lines: string[] = []
  readonly #traced: boolean
  readonly #hash = createHash('sha256')

  /** Only one that is `traced` has every change of a row, and a digest: that takes time. */
  constructor(clock: Clock, traced: boolean) {
    this.#clock = clock
    this.#startMs = clock.now()
    this.#traced = traced
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  note(text: string): void {
    const seconds = ((this.#clock.now() - this.#startMs) / 1_000).toFixed(3).padStart(9)
    this.#lines.push(`${seconds} ${text.replaceAll(arnStart, '')}`)
    if (this.#traced) this.#hash.update(`${seconds} ${text}\n`)
    else if (this.#lines.length > 2 * lastMax) this.#lines.splice(0, lastMax)
  }

  /** What a transaction of `who` changed. */
  changed(who: string, changes: readonly Change[]): void {
    if (!this.#traced) return
    for (const change of changes) {
      this.note(`${who}: ${describeChange(change)}`)
      this.#hash.update(JSON.stringify(change))
    }
  }

  /** Of all that happened, to the byte. Ends the history. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  /** The last lines, and before them those that name what the violation names, marked. */
  about(violation: unknown): string {
    const named = new Set(String(violation).match(identity))
    const concerns = this.#lines.map((line) => (line.match(identity) ?? []).some((name) => named.has(name)))
    const shown = new Set(concerns.flatMap((is, index) => (is ? [index] : [])).slice(-namedMax))
    for (let index = Math.max(0, this.#lines.length - lastMax); index < this.#lines.length; index++)
      shown.add(index)
    let before = -1
    return [...shown]
      .toSorted((one, other) => one - other)
      .map((index) => {
        const gap = index === before + 1 ? '' : `          … ${index - before - 1} lines\n`
        before = index
        return `${gap}${concerns[index] ? '*' : ' '}${this.#lines[index]}`
      })
      .join('\n')
  }
}

/** `+` a row that came, `-` one that went, `~` one that changed and what of it. */
function describeChange({ table, before, after }: Change): string {
  const key = tables[table].key((after ?? before) as never)
  const was = (before ?? {}) as Readonly<Record<string, unknown>>
  const is = (after ?? {}) as Readonly<Record<string, unknown>>
  if (!after) return `- ${table} ${key}`
  if (!before) {
    const told = telling.filter((name) => is[name] !== undefined && is[name] !== key)
    return `+ ${table} ${key} ${told.map((name) => shorten(is[name])).join(', ')}`
  }
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((name) => was[name] !== is[name] && !plain.has(name))
    .flatMap((name) => {
      const [old, now] = [shorten(was[name]), shorten(is[name])]
      return old === now ? [`${name} …`] : [`${name}: ${old} → ${now}`]
    })
  return `~ ${table} ${key} ${changed.join(', ')}`
}

function shorten(value: unknown): string {
  const long = typeof value === 'string' ? value : (JSON.stringify(summary(value)) ?? '–')
  const text = long.replaceAll(arnStart, '')
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text
}

/** Of containers only what is told of them often. */
function summary(value: unknown): unknown {
  if (!Array.isArray(value)) return value
  return value.map((item: unknown) => {
    if (typeof item !== 'object' || item === null || !('lastStatus' in item)) return item
    const { name, lastStatus, healthStatus } = item as Readonly<Record<string, unknown>>
    return [name, lastStatus, healthStatus].join(' ')
  })
}
