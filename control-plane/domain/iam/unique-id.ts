import { assert } from '@berth/std/assert.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** What an id of IAM is of, by its first four letters. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export type UniqueIdPrefix = 'AGPA' | 'AIDA' | 'AIPA' | 'ANPA' | 'AROA'

const base32 = (value: bigint, length: number): string => {
  let text = ''
  for (let rest = value; text.length < length; rest >>= 5n) text = alphabet.charAt(Number(rest & 31n)) + text
  return text
}

/** An id of 21 letters, from at least 22 random hexadecimal digits. */
export function uniqueId(prefix: UniqueIdPrefix, hex: string): string {
  assert(hex.length >= 22, 'an id of IAM is made from 22 digits')
  return prefix + base32(BigInt(`0x${hex}`), 17)
}

/**
 * The id of an access key. As in AWS's own, the account's number is in it, which GetAccessKeyInfo reads: a leading 1, 40
 * bits of the account, and 39 of chance, from at least 10 random hexadecimal digits.
 */
export function accessKeyId(prefix: 'AKIA' | 'ASIA', accountId: string, hex: string): string {
  assert(hex.length >= 10, 'an access key is made from 10 digits')
  const chance = BigInt(`0x${hex}`) & ((1n << 39n) - 1n)
  return prefix + base32((1n << 79n) | (BigInt(accountId) << 39n) | chance, 16)
}

/** The account that a key's id names, or undefined where it cannot be read from it. */
export function accountOfAccessKey(id: string): string | undefined {
  const match = /^(?:AKIA|ASIA)([A-Z2-7]{16})$/.exec(id)
  if (!match?.[1]) return undefined
  let value = 0n
  for (const letter of match[1]) value = (value << 5n) | BigInt(alphabet.indexOf(letter))
  const account = String((value >> 39n) & ((1n << 40n) - 1n)).padStart(12, '0')
  return account.length === 12 ? account : undefined
}
