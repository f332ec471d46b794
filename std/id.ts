/** The only source of chance. The simulator substitutes a seeded one, so a run can be had again from its seed. */
export interface Ids {
  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string
  /** A random UUID in its usual form. */
  uuid(): string
  /** `length` decimal digits, the first not 0. */
  digits(length: number): string
  /** A number in [0, 1). */
  fraction(): number
}

/** Ids made from any source of numbers in [0, 1). */
export function idsFrom(fraction: () => number): Ids {
  const pick = (alphabet: string, length: number): string => {
    let text = ''
    while (text.length < length) text += alphabet.charAt(Math.floor(fraction() * alphabet.length))
    return text
  }
  const hex = (length: number): string => pick('0123456789abcdef', length)
  return {
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${pick('89ab', 1)}${hex(3)}-${hex(12)}`,
    digits: (length) => pick('123456789', 1) + pick('0123456789', length - 1),
    fraction,
  }
}
