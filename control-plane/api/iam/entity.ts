/** What all of IAM's operations share: whose names are looked up, AWS's refusals, and pages of lists. */
import { AwsError } from '@berth/wire/error.ts'
import { constraints, type Constraints } from '#api/constraints.ts'
import type { Context } from '#api/operation.ts'
import { page, pageInOrder } from '#api/page.ts'
import { iamKey, type IamTag } from '#domain/iam/entities.ts'
import { PolicyError } from '#domain/iam/policy-document.ts'
import type { TableName, Tables } from '#state/tables.ts'

type IamTable = 'iamGroup' | 'iamRole' | 'iamUser'
export const nouns = { iamGroup: 'group', iamRole: 'role', iamUser: 'user' } as const

export function noSuchEntity(message: string): AwsError {
  return new AwsError('NoSuchEntity', message, 404)
}
export function alreadyExists(message: string): AwsError {
  return new AwsError('EntityAlreadyExists', message, 409)
}
export function deleteConflict(message: string): AwsError {
  return new AwsError('DeleteConflict', message, 409)
}
export function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceeded', message, 409)
}
export function invalidInput(message: string): AwsError {
  return new AwsError('InvalidInput', message)
}

type Lookup = Pick<Context, 'scope'> & { readonly store: Pick<Context['store'], 'find'> }

/** The user, group or role of that name in the caller's account. Throws NoSuchEntity. */
export function resolveEntity<T extends IamTable>(
  { store, scope }: Lookup,
  table: T,
  name: string | undefined,
): Tables[T] {
  const row = store.find(table, iamKey(scope.accountId, name ?? ''))
  if (!row) throw noSuchEntity(`The ${nouns[table]} with name ${name} cannot be found.`)
  return row
}

/** The ARN of what a request names, or what it would be; for authorization. */
export function entityArn({ store, scope }: Lookup, table: IamTable, name: string | undefined): string {
  const row = store.find(table, iamKey(scope.accountId, name ?? ''))
  return row?.arn ?? `arn:aws:iam::${scope.accountId}:${nouns[table]}/${name}`
}

const namePattern = /^[\w+=,.@-]+$/
const pathPattern = /^\/(?:[\u0021-\u007e]+\/)?$/

/** Checks the names and the path of something new, and what else `more` names. Throws ValidationError. */
export function checkNames(
  names: Readonly<Record<string, readonly [value: string | undefined, max: number]>>,
  path?: string,
  more: (check: Constraints) => void = () => undefined,
): void {
  const check = constraints()
  for (const [member, [value, max]] of Object.entries(names)) check.text(member, value, { max })
  check.text('path', path, { max: 512 })
  more(check)
  try {
    check.check()
  } catch (error) {
    if (error instanceof AwsError) throw new AwsError('ValidationError', error.message)
    throw error
  }
  for (const [member, [value]] of Object.entries(names))
    if (value !== undefined && !namePattern.test(value))
      throw new AwsError(
        'ValidationError',
        `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
      )
  if (path !== undefined && !pathPattern.test(path))
    throw new AwsError(
      'ValidationError',
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    )
}

/** Reads a document with the given parser, whose errors are the caller's. Throws MalformedPolicyDocument. */
export function checkDocument(text: string | undefined, parse: (text: string) => unknown): string {
  try {
    parse(text ?? '')
  } catch (error) {
    if (error instanceof PolicyError) throw new AwsError('MalformedPolicyDocument', error.message)
    throw error
  }
  return text ?? ''
}

/** How large a document counts: AWS does not count white space. */
export function documentSize(text: string): number {
  return text.replaceAll(/\s/g, '').length
}

/** A document as IAM answers it: percent-encoded as RFC 3986 has it. */
export function encodedDocument(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

type SdkTag = { readonly Key: string | undefined; readonly Value: string | undefined }
const tagsMax = 50

/** Tags as given, checked. Throws InvalidInput and LimitExceeded. */
export function readTags(tags: readonly SdkTag[] | undefined): readonly IamTag[] {
  const read = (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
  checkNames({}, undefined, (check) => {
    for (const [at, { key, value }] of read.entries()) {
      check.text(`tags.${at + 1}.member.key`, key, { max: 128, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u })
      check.text(`tags.${at + 1}.member.value`, value, {
        min: 0,
        max: 256,
        pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
      })
    }
  })
  if (new Set(read.map(({ key }) => key.toLowerCase())).size < read.length)
    throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  if (read.length > tagsMax) throw limitExceeded('The number of tags has reached the maximum limit.')
  return read
}

/** The tags with others put over them. Throws as `readTags`. */
export function addTags(known: readonly IamTag[], tags: readonly SdkTag[] | undefined): readonly IamTag[] {
  const added = readTags(tags)
  const names = new Set(added.map(({ key }) => key.toLowerCase()))
  const all = [...known.filter(({ key }) => !names.has(key.toLowerCase())), ...added]
  if (all.length > tagsMax) throw limitExceeded('The number of tags has reached the maximum limit.')
  return all
}

export function removeTags(known: readonly IamTag[], keys: readonly string[] | undefined): readonly IamTag[] {
  const names = new Set((keys ?? []).map((key) => key.toLowerCase()))
  return known.filter(({ key }) => !names.has(key.toLowerCase()))
}

export function showTags(tags: readonly IamTag[]): Array<{ Key: string; Value: string }> {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}

export interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}
export interface Paged<Row> {
  readonly rows: readonly Row[]
  /** What of the answer says whether there is more. */
  readonly more: { IsTruncated: boolean; Marker?: string }
}

function pageRequest(
  context: Context,
  { Marker, MaxItems }: PageInput,
  parameters: Readonly<Record<string, unknown>>,
): Parameters<typeof pageInOrder>[1] {
  checkNames({}, undefined, (check) => check.number('maxItems', MaxItems, 1, 1000))
  return { context, maxResults: MaxItems, nextToken: Marker, limit: 1000, default: 100, parameters }
}

function paged<Row>(
  pageOf: () => { readonly rows: readonly Row[]; readonly nextToken?: string },
): Paged<Row> {
  try {
    const { rows, nextToken } = pageOf()
    return {
      rows,
      more: { IsTruncated: nextToken !== undefined, ...(nextToken !== undefined && { Marker: nextToken }) },
    }
  } catch (error) {
    // No source gives AWS's words for a marker that is not of this list.
    if (error instanceof AwsError && error.message === 'Invalid token')
      throw new AwsError('ValidationError', `Invalid Marker`)
    throw error
  }
}

/** A page of all there is of a kind in the account, those that `wanted` takes, by their names. */
export function pageOfTable<T extends TableName>(
  context: Context,
  table: T & ('iamGroup' | 'iamRole' | 'iamUser' | 'iamPolicy' | 'instanceProfile'),
  input: PageInput,
  parameters: Readonly<Record<string, unknown>>,
  keyOf: (row: Tables[T]) => string,
  wanted: (row: Tables[T]) => boolean = () => true,
): Paged<Tables[T]> {
  const request = pageRequest(context, input, parameters)
  function* rowsAfter(key: string | undefined): Generator<Tables[T]> {
    const rows = context.store.after(table, 'account', context.scope.accountId, key) as Iterable<Tables[T]>
    for (const row of rows) if (wanted(row)) yield row
  }
  return paged(() => pageInOrder(rowsAfter, request, keyOf))
}

/** A page of a list that is at hand. */
export function pageOfList<Row>(
  context: Context,
  rows: readonly Row[],
  input: PageInput,
  parameters: Readonly<Record<string, unknown>>,
  keyOf: (row: Row) => string,
): Paged<Row> {
  return paged(() => page(rows, pageRequest(context, input, parameters), keyOf))
}
