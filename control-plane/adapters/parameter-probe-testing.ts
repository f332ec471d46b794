/**
 * Finds out what operations do with each member of their input, by trying. An input is sent to the same world twice, with a
 * value for the member and without; whether the answer, the error or any row then differs shows whether the member is heeded.
 * (To watch which members are read would not show it: spreads, copies into rows and fingerprints of tokens read everything.)
 */
import type { Shape, StructShape } from '@berth/wire/shape.ts'
import { parts } from './parts-testing.ts'

/** A member of an operation's input. */
export interface Probed {
  /** `containerDefinitions[].portMappings[].hostPort`. */
  readonly path: string
  /** Some value of it changed what came of a request. */
  readonly heeded: boolean
  /** It changed what came of a request that succeeds without it too: not merely whether it is valid was looked at. */
  readonly affects: boolean
  /** Some value of it was the reason of an UnsupportedFeatureException: its message. */
  readonly unsupported: string | undefined
  /** A request that had it succeeded. */
  readonly taken: boolean
  /** A request was refused for it by a check that is AWS's. */
  readonly refused: boolean
}

/** What comes of a request: its error, and all of the answer and the rows it changed, as text. */
interface Outcome {
  readonly code: string | undefined
  readonly message: string
  readonly seen: string
}

export type Send = (operation: string, input: object) => Promise<Outcome>
export type Likely = (member: string, struct: string) => readonly string[]

/** One step into an input: a member of a structure, or into the first item of a list or value of a map. */
interface Place {
  readonly path: string
  readonly steps: readonly (string | 0)[]
  readonly shape: Shape
  readonly struct: string
  readonly member: string
}

/** Every member of a shape and of what is in it, outermost first. A structure within itself is entered once. */
export function placesOf(shape: StructShape): Place[] {
  const walk = (inner: Shape, at: Omit<Place, 'shape'>, within: readonly string[]): Place[] => {
    switch (inner.kind) {
      case 'struct':
        if (within.includes(inner.name)) return []
        return [...inner.members.values()].flatMap(({ name, shape: next }) => {
          const path = at.path === '' ? name : `${at.path}.${name}`
          const place = { path, steps: [...at.steps, name], struct: inner.name, member: name }
          return [{ ...place, shape: next }, ...walk(next, place, [...within, inner.name])]
        })
      case 'list':
        return walk(inner.item, { ...at, path: `${at.path}[]`, steps: [...at.steps, 0] }, within)
      case 'map':
      case 'string':
      case 'integer':
      case 'number':
      case 'boolean':
      case 'timestamp':
      case 'blob':
      case 'document':
        return []
    }
  }
  return walk(shape, { path: '', steps: [], struct: '', member: '' }, [])
}

const integers = [1, 0, 2, 10, 80, 300, 8080, 100_000, 1_000_000]

/** Some values that the shape allows, the likeliest first. */
function valuesOf(shape: Shape, struct: string, member: string, likely: Likely): readonly unknown[] {
  switch (shape.kind) {
    case 'struct':
      return [filled(shape, likely, true), filled(shape, likely, false)]
    case 'list': {
      const items = valuesOf(shape.item, struct, member, likely)
      return [
        ...items.slice(0, shape.item.kind === 'string' ? 12 : 3).map((item) => [item]),
        [],
        Array.from({ length: 101 }, () => items[0]),
      ]
    }
    case 'map':
      return valuesOf(shape.value, struct, member, likely).map((value) => ({ key: value }))
    case 'string':
      return [...likely(member, struct).slice(0, 12), 'x', '1', '256', '/x', '', 'y'.repeat(300)]
    case 'integer':
    case 'number':
      return integers
    case 'boolean':
      return [true, false]
    case 'timestamp':
      return [1_767_225_600]
    case 'blob':
      return ['YWJj']
    case 'document':
      return [{}]
  }
}

/** The least of a structure, or all texts, numbers and truths that it can hold beside. */
function filled(shape: StructShape, likely: Likely, least: boolean): object {
  const members = [...shape.members.values()].filter(
    ({ name, shape: inner }) =>
      shape.required.includes(name) || (!least && ['string', 'integer', 'number'].includes(inner.kind)),
  )
  return {
    ...Object.fromEntries(
      members.map(({ name, shape: inner }) => [name, valuesOf(inner, shape.name, name, likely)[0]]),
    ),
    ...parts[shape.name],
  }
}

type Node = Record<string | number, unknown>

/** The input with the value at the place (or nothing there); what lies on the way is made as it must be. */
function withValue(input: object, root: StructShape, place: Place, value: unknown, likely: Likely): object {
  const copy = structuredClone(input) as Node
  let node = copy
  let shape: Shape = root
  for (const [index, step] of place.steps.entries()) {
    const next: Shape | undefined =
      shape.kind === 'struct'
        ? shape.members.get(String(step))?.shape
        : shape.kind === 'list'
          ? shape.item
          : undefined
    if (!next) throw new Error(`${place.path} leads nowhere`)
    if (index === place.steps.length - 1) {
      if (value === undefined) delete node[step]
      else node[step] = value
    } else {
      node[step] ??= next.kind === 'list' ? [] : next.kind === 'struct' ? filled(next, likely, true) : {}
      node = node[step] as Node
    }
    shape = next
  }
  return copy
}

/** Tries every member of the operation's input, upon each of the inputs given. */
export async function probe(
  operation: string,
  root: StructShape,
  inputs: readonly object[],
  { send, likely }: { readonly send: Send; readonly likely: Likely },
): Promise<Probed[]> {
  const outcomes = new Map<string, Promise<Outcome>>()
  const ask = (input: object): Promise<Outcome> => {
    const key = JSON.stringify(input)
    const known = outcomes.get(key) ?? send(operation, input)
    outcomes.set(key, known)
    return known
  }
  const probed: Probed[] = []
  for (const place of placesOf(root)) {
    let [heeded, affects, taken, refused] = [false, false, false, false]
    let unsupported: string | undefined
    for (const input of inputs) {
      if (heeded && affects) break
      const without = await ask(withValue(input, root, place, undefined, likely))
      const own = valueAt(input, place)
      const part = (parts[place.struct] as Readonly<Record<string, unknown>> | undefined)?.[place.member]
      const values = [
        ...(part === undefined ? [] : [part]),
        ...valuesOf(place.shape, place.struct, place.member, likely),
      ]
      for (const value of own === undefined ? values : [own, ...values]) {
        const outcome = await ask(withValue(input, root, place, value, likely))
        heeded ||= outcome.seen !== without.seen
        taken ||= outcome.code === undefined
        affects ||= outcome.code === undefined && without.code === undefined && outcome.seen !== without.seen
        if (outcome.code !== undefined && outcome.seen !== without.seen) {
          if (outcome.code === 'UnsupportedFeatureException') unsupported ??= outcome.message
          else refused = true
        }
      }
    }
    probed.push({ path: place.path, heeded, affects, unsupported, taken, refused })
  }
  return probed
}

function valueAt(input: object, { steps }: Place): unknown {
  let node: unknown = input
  for (const step of steps) {
    if (typeof node !== 'object' || node === null) return undefined
    node = (node as Node)[step]
  }
  return node
}
