import { AwsError } from '@berth/wire/error.ts'

/** What a service's model says of values, checked before the service looks at what they mean. */
export interface Constraints {
  text(
    path: string,
    value: string | undefined,
    rule: {
      readonly min?: number
      readonly max?: number
      readonly pattern?: RegExp
      readonly shown?: string
    },
  ): void
  number(path: string, value: number | undefined, min: number, max: number): void
  oneOf(path: string, value: string | undefined, allowed: readonly string[]): void
  items(path: string, value: readonly unknown[] | undefined, min: number, max: number): void
  /** Throws ValidationException for all that was broken, as AWS's front end says it. */
  check(): void
}

/** Maps of inputs have no prototype, and so no text of their own. */
const shownItem = (item: unknown): string => (typeof item === 'string' ? item : JSON.stringify(item))

/** For services whose ValidationException, or an error of another `code`, lists every broken constraint. */
export function constraints(code = 'ValidationException'): Constraints {
  const broken: string[] = []
  const say = (path: string, value: unknown, constraint: string): void => {
    broken.push(
      `Value '${String(value)}' at '${path}' failed to satisfy constraint: Member must ${constraint}`,
    )
  }
  const length = (path: string, value: string | readonly unknown[], min: number, max: number): void => {
    const said = typeof value === 'string' ? value : `[${value.map(shownItem).join(', ')}]`
    if (value.length < min) say(path, said, `have length greater than or equal to ${min}`)
    if (value.length > max) say(path, said, `have length less than or equal to ${max}`)
  }
  return {
    text(path, value, { min = 1, max = Infinity, pattern, shown }) {
      if (value === undefined) return
      length(path, value, min, max)
      if (pattern && !pattern.test(value))
        say(path, value, `satisfy regular expression pattern: ${shown ?? pattern.source}`)
    },
    number(path, value, min, max) {
      if (value === undefined) return
      if (value < min) say(path, value, `have value greater than or equal to ${min}`)
      if (value > max) say(path, value, `have value less than or equal to ${max}`)
    },
    oneOf(path, value, allowed) {
      if (value !== undefined && !allowed.includes(value))
        say(path, value, `satisfy enum value set: [${allowed.join(', ')}]`)
    },
    items(path, value, min, max) {
      if (value) length(path, value, min, max)
    },
    check() {
      if (broken.length === 0) return
      const errors = `${broken.length} validation error${broken.length === 1 ? '' : 's'} detected`
      throw new AwsError(code, `${errors}: ${broken.join('; ')}`)
    },
  }
}

export function invalid(message: string): never {
  throw new AwsError('ValidationException', message)
}
