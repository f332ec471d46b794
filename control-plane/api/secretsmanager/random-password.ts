import type { GetRandomPasswordRequest, GetRandomPasswordResponse } from '@aws-sdk/client-secrets-manager'
import { constraints } from '#api/constraints.ts'
import type { Operation } from '#api/operation.ts'
import { invalidParameter } from './resolve.ts'

const lowercase = 'abcdefghijklmnopqrstuvwxyz'
const numbers = '0123456789'
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'
const lengthUsual = 32
const lengthMax = 4096

export const getRandomPassword: Operation<GetRandomPasswordRequest, GetRandomPasswordResponse> = {
  resources: () => ['*'],
  run: ({ ids }, input) => {
    const { PasswordLength: length = lengthUsual, ExcludeCharacters: excluded = '' } = input
    const check = constraints()
    check.number('passwordLength', length, 1, lengthMax)
    check.text('excludeCharacters', excluded, { min: 0, max: lengthMax })
    check.check()
    const kinds = [
      input.ExcludeLowercase ? '' : lowercase,
      input.ExcludeUppercase ? '' : lowercase.toUpperCase(),
      input.ExcludeNumbers ? '' : numbers,
      input.ExcludePunctuation ? '' : punctuation,
      input.IncludeSpace ? ' ' : '',
    ]
      .map((kind) => kind.split('').filter((character) => !excluded.includes(character)))
      .filter((kind) => kind.length > 0)
    if (kinds.length === 0)
      // No source gives AWS's text.
      invalidParameter('The password must contain at least one type of character.')
    const required = (input.RequireEachIncludedType ?? true) ? kinds : []
    if (length < required.length)
      invalidParameter('Password length is too short based on the required types.')
    const pick = (from: readonly string[]): string => from[Math.floor(ids.fraction() * from.length)] ?? ''
    const all = kinds.flat()
    const characters = [
      ...required.map(pick),
      ...Array.from({ length: length - required.length }, () => pick(all)),
    ]
    // What was required does not stay at the front.
    for (let last = characters.length - 1; last > 0; last--) {
      const other = Math.floor(ids.fraction() * (last + 1))
      const [one = '', two = ''] = [characters[last], characters[other]]
      characters[last] = two
      characters[other] = one
    }
    return { RandomPassword: characters.join('') }
  },
}
