/** Filters of parameters, and all that can be wrong with them. */
import type { ParameterStringFilter } from '@aws-sdk/client-ssm'
import { AwsError } from '@berth/wire/error.ts'
import { invalid } from '#api/constraints.ts'
import { pathOf } from '#domain/parameter.ts'
import type { View } from '#state/store.ts'
import type { Selected } from './resolve.ts'

const keyPattern = /^(?:tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType)$/
const values: Readonly<Record<string, readonly string[]>> = {
  Tier: ['Standard', 'Advanced', 'Intelligent-Tiering'],
  Type: ['String', 'StringList', 'SecureString'],
}

function invalidKey(message: string): never {
  throw new AwsError('InvalidFilterKey', message)
}
function invalidOption(message: string): never {
  throw new AwsError('InvalidFilterOption', message)
}

/** Those of DescribeParameters. */
export function checkDescribeFilters(filters: readonly ParameterStringFilter[] = []): void {
  checkShape(filters)
  for (const { Key = '' } of filters)
    if (Key === 'Label')
      invalidKey(
        'The following filter key is not valid: Label. Valid filter keys include: [Path, Name, Type, KeyId, Tier].',
      )
  checkMeaning(filters)
}

/** Those of GetParametersByPath. */
export function checkPathFilters(filters: readonly ParameterStringFilter[] = []): void {
  checkShape(filters)
  for (const { Key = '' } of filters)
    if (['Name', 'Path', 'Tier'].includes(Key))
      invalidKey(`The following filter key is not valid: ${Key}. Valid filter keys include: [Type, KeyId].`)
  checkMeaning(filters)
}

function checkShape(filters: readonly ParameterStringFilter[]): void {
  const broken = filters.flatMap(({ Key = '', Option = '', Values = [] }, index) => {
    const at = `parameterFilters.${index + 1}.member`
    const say = (wrong: boolean, value: string, member: string, must: string): string[] =>
      wrong ? [`Value '${value}' at '${at}.${member}' failed to satisfy constraint: Member must ${must}`] : []
    const shown = `[${Values.join(', ')}]`
    return [
      ...say(
        !keyPattern.test(Key),
        Key,
        'key',
        'satisfy regular expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType',
      ),
      ...say(Key.length > 132, Key, 'key', 'have length less than or equal to 132'),
      ...say(Option.length > 10, Option, 'option', 'have length less than or equal to 10'),
      ...say(Values.length > 50, shown, 'values', 'have length less than or equal to 50'),
      ...say(
        Values.some((value) => value.length < 1 || value.length > 1024),
        shown,
        'values',
        'satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1]',
      ),
    ]
  })
  if (broken.length > 0)
    invalid(
      `${broken.length} validation error${broken.length === 1 ? '' : 's'} detected: ${broken.join('; ')}`,
    )
}

function checkMeaning(filters: readonly ParameterStringFilter[]): void {
  const seen = new Set<string>()
  for (const { Key = '', Option, Values = [] } of filters) {
    if (seen.has(Key))
      invalidKey(
        `The following filter is duplicated in the request: ${Key}. A request can contain only one occurrence of a specific filter.`,
      )
    seen.add(Key)
    if (Values.length === 0 && !Key.startsWith('tag:'))
      throw new AwsError(
        'InvalidFilterValue',
        `The following filter values are missing : null for filter key ${Key}.`,
      )
    for (const value of Values)
      if (values[Key] && !values[Key].includes(value))
        invalidOption(
          `The following filter value is not valid: ${value}. Valid values include: [${values[Key].join(', ')}].`,
        )
    if (Key === 'Path') for (const value of Values) checkPath(value)
    const options =
      Key === 'Path'
        ? ['Recursive', 'OneLevel']
        : Key === 'Name'
          ? ['BeginsWith', 'Equals', 'Contains']
          : ['BeginsWith', 'Equals']
    if (Option !== undefined && !options.includes(Option))
      invalidOption(
        `The following filter option is not valid: ${Option}. Valid options include: [${options.join(', ')}].`,
      )
  }
}

function checkPath(path: string): void {
  if (/^\/(?:aws|ssm)/i.test(path))
    invalid(
      'Filters for common parameters can\'t be prefixed with "aws" or "ssm" (case-insensitive). When using global parameters, please specify within a global namespace.',
    )
  if (path.includes('//') || !/^\/[a-zA-Z0-9_.\-/]*$/.test(path))
    invalid(
      'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.',
    )
}

/** Whether a parameter is what all the filters ask for. */
export function matchesFilters(
  view: View,
  { parameter, version }: Selected,
  filters: readonly ParameterStringFilter[] = [],
): boolean {
  const textsOf = (key: string): readonly string[] => {
    if (key.startsWith('tag:'))
      return (view.find('resourceTags', parameter.parameterArn)?.tags ?? []).flatMap((tag) =>
        tag.key === key.slice('tag:'.length) ? [tag.value] : [],
      )
    const known: Readonly<Record<string, readonly string[]>> = {
      Name: [pathOf(parameter.parameterArn)],
      Path: [pathOf(parameter.parameterArn)],
      Type: [version.type],
      KeyId: version.keyId === undefined ? [] : [version.keyId],
      Tier: [version.tier],
      DataType: [version.dataType],
      Label: version.labels,
    }
    return known[key] ?? []
  }
  return filters.every(({ Key = '', Option, Values = [] }) => {
    const texts = textsOf(Key)
    // Of a tag without values it is asked only that it is there.
    if (Values.length === 0) return texts.length > 0
    const compare = comparisons[Option ?? (Key === 'Path' ? 'OneLevel' : 'Equals')]
    const slashed = Key === 'Name' && Option !== 'Contains'
    return Values.map((value) => (slashed && !value.startsWith('/') ? `/${value}` : value)).some((value) =>
      texts.some((text) => compare?.(text, value)),
    )
  })
}

const below = (text: string, path: string): boolean => text.startsWith(path.endsWith('/') ? path : `${path}/`)

const comparisons: Readonly<Record<string, (text: string, value: string) => boolean>> = {
  Equals: (text, value) => text === value,
  BeginsWith: (text, value) => text.startsWith(value),
  Contains: (text, value) => text.includes(value),
  Recursive: below,
  OneLevel: (text, value) =>
    below(text, value) && !text.slice(value.replace(/\/$/, '').length + 1).includes('/'),
}
