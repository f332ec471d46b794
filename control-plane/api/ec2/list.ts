// What every Describe* of EC2 does to its rows: filters, and pages.
import type { Filter } from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { ResourceTag } from '#domain/tags.ts'

type Value = string | boolean | number | undefined
/** What a filter of this name compares with. */
export type FilterTable<Row> = Readonly<Record<string, (row: Row) => Value | readonly Value[]>>

/**
 * The rows that every filter lets through: at least one of its values matches, `*` and `?` being wildcards. Throws
 * InvalidParameterValue for a filter that the operation does not have.
 */
export function filtered<Row>(
  rows: readonly Row[],
  filters: readonly Filter[] | undefined,
  table: FilterTable<Row>,
  tagsOf?: (row: Row) => readonly ResourceTag[],
): Row[] {
  const tests = (filters ?? []).map(({ Name: name = '', Values: values = [] }) => {
    const patterns = values.map(patternOf)
    const shown = valuesOf(name, table, tagsOf)
    return (row: Row): boolean =>
      shown(row).some(
        (value) => value !== undefined && patterns.some((pattern) => pattern.test(String(value))),
      )
  })
  return rows.filter((row) => tests.every((test) => test(row)))
}

function valuesOf<Row>(
  name: string,
  table: FilterTable<Row>,
  tagsOf: ((row: Row) => readonly ResourceTag[]) | undefined,
): (row: Row) => readonly Value[] {
  if (tagsOf && name.startsWith('tag:')) {
    const wanted = name.slice('tag:'.length)
    return (row) => tagsOf(row).flatMap(({ key, value }) => (key === wanted ? [value] : []))
  }
  if (tagsOf && name === 'tag-key') return (row) => tagsOf(row).map(({ key }) => key)
  if (!Object.hasOwn(table, name))
    throw new AwsError('InvalidParameterValue', `The filter '${name}' is invalid`)
  return (row) => {
    const shown = table[name]?.(row)
    return Array.isArray(shown) ? (shown as readonly Value[]) : [shown as Value]
  }
}

function patternOf(value: string): RegExp {
  const escaped = value.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}

interface PageInput {
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
}

/**
 * One page of rows that are in the order of their keys. A token is the last key shown, so that a row that comes or goes
 * between two pages neither repeats nor hides another.
 */
export function paged<Row>(
  rows: readonly Row[],
  { MaxResults: size, NextToken: token }: PageInput,
  keyOf: (row: Row) => string,
): { readonly rows: readonly Row[]; readonly nextToken?: string } {
  if (size !== undefined && size < 5)
    throw new AwsError(
      'InvalidParameterValue',
      `Value ( ${size} ) for parameter maxResults is invalid. Expecting a value greater than 5.`,
    )
  const after = token === undefined ? undefined : keyIn(token)
  const rest = after === undefined ? rows : rows.filter((row) => keyOf(row) > after)
  const shown = size === undefined ? rest : rest.slice(0, Math.min(size, 1000))
  const last = shown.at(-1)
  return {
    rows: shown,
    ...(last !== undefined && shown.length < rest.length && { nextToken: tokenFor(keyOf(last)) }),
  }
}

const tokenPrefix = 'after '
const tokenFor = (key: string): string => Buffer.from(tokenPrefix + key).toString('base64url')

function keyIn(token: string): string {
  const text = Buffer.from(token, 'base64url').toString()
  if (!text.startsWith(tokenPrefix))
    throw new AwsError('InvalidParameterValue', 'Unable to parse pagination token')
  return text.slice(tokenPrefix.length)
}

/** Refuses a dry run, as AWS does when all would have been well. */
export function refuseDryRun({ DryRun }: { readonly DryRun?: boolean | undefined }): void {
  if (DryRun === true)
    throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)
}

/** The rows of these ids, in that order, or all of them; an id without a row is what `notFound` makes of it. */
export function chosen<Row>(
  all: readonly Row[],
  ids: readonly string[] | undefined,
  idOf: (row: Row) => string,
  notFound: (id: string) => AwsError,
): readonly Row[] {
  if (ids === undefined || ids.length === 0) return all
  const byId = new Map(all.map((row) => [idOf(row), row]))
  return [...new Set(ids)].map((id) => {
    const row = byId.get(id)
    if (row === undefined) throw notFound(id)
    return row
  })
}
