/** One message of ACS or TCS, either way: a JSON object that names its own type. */
export interface Envelope<Type extends string = string, Message = unknown> {
  readonly type: Type
  readonly message: Message
}

/**
 * What came of reading a frame. A frame that does not fit is reported, never thrown: either side of this protocol
 * logs it and goes on, because a newer peer may say what this one has not heard of.
 */
export type Decoded<M extends Envelope> =
  | { readonly kind: 'message'; readonly message: M }
  | { readonly kind: 'unknown'; readonly type: string }
  | { readonly kind: 'malformed'; readonly reason: string; readonly type?: string }

/** Reads a value of an unknown shape; throws `Malformed` where it does not fit. */
export type Reader<T> = (value: unknown, at: string) => T

/** A member that may be absent, or null, which is read as absent. */
export interface Optional<T> {
  readonly optional: Reader<T>
}

/** A reader of the right kind for each member of `T`, so that a forgotten or mistaken member does not compile. */
export type Members<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Reader<T[K]>
}

/** Thrown by readers and caught in `decode`: it never leaves this workspace. */
class Malformed extends Error {}

const primitive =
  <T>(type: string): Reader<T> =>
  (value, at) => {
    if (typeof value !== type) throw new Malformed(`${at} is not a ${type}`)
    return value as T
  }

export const text = primitive<string>('string')
export const bool = primitive<boolean>('boolean')
export const number: Reader<number> = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(`${at} is not a number`)
  return value
}
/** Text that names something and so is not empty. */
export const name: Reader<string> = (value, at) => {
  if (text(value, at) === '') throw new Malformed(`${at} is empty`)
  return value as string
}
export const oneOf =
  <const T extends string>(...values: readonly T[]): Reader<T> =>
  (value, at) => {
    if (!values.includes(value as T)) throw new Malformed(`${at} is none of ${values.join(', ')}`)
    return value as T
  }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value that stands for itself when it is absent or null. */
export const orElse =
  <T>(reader: Reader<T>, absent: T): Reader<T> =>
  (value, at) =>
    value === undefined || value === null ? absent : reader(value, at)

export const list =
  <T>(item: Reader<T>): Reader<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value)) throw new Malformed(`${at} is not a list`)
    return value.map((element, index) => item(element, `${at}[${index}]`))
  }

/** An object used as a map. Its keys are data, so `__proto__` is one like any other. */
export const map =
  <T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, at) => {
    if (!isObject(value)) throw new Malformed(`${at} is not an object`)
    return Object.fromEntries(
      Object.entries(value).map(([key, element]) => [key, item(element, `${at}.${key}`)]),
    )
  }

export const optional = <T>(reader: Reader<T>): Optional<T> => ({ optional: reader })

/** An object with known members; others are left out, as both sides of this protocol ignore what they do not know. */
export const record = <T extends object>(members: Members<T>): Reader<T> => {
  const entries = Object.entries(members) as Array<[string, Reader<unknown> | Optional<unknown>]>
  return (value, at) => {
    if (!isObject(value)) throw new Malformed(`${at} is not an object`)
    const result: Record<string, unknown> = {}
    for (const [key, member] of entries) {
      const found = Object.hasOwn(value, key) ? value[key] : undefined
      if (typeof member === 'function') result[key] = member(found, `${at}.${key}`)
      else if (found !== undefined && found !== null) result[key] = member.optional(found, `${at}.${key}`)
    }
    return result as T
  }
}

/** A reader for the message of each type of a direction. */
export type Messages<M extends Envelope> = {
  readonly [Type in M['type']]: Reader<Extract<M, { type: Type }>['message']>
}

/** Reads one frame's JSON as one of the messages. Never throws. */
export function decode<M extends Envelope>(messages: Messages<M>, frame: string): Decoded<M> {
  let value: unknown
  try {
    value = JSON.parse(frame)
  } catch {
    return { kind: 'malformed', reason: 'the frame is not JSON' }
  }
  if (!isObject(value) || typeof value['type'] !== 'string')
    return { kind: 'malformed', reason: 'the frame has no type' }
  const type = value['type']
  if (!Object.hasOwn(messages, type)) return { kind: 'unknown', type }
  try {
    const message = messages[type as M['type']](value['message'], 'message')
    return { kind: 'message', message: { type, message } as M }
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', reason: error.message, type }
    throw error
  }
}

/** The frame of a message. */
export function encode(message: Envelope): string {
  return JSON.stringify({ type: message.type, message: message.message })
}
