/** What there is to name in inputs, by the names of the members that name it. For tests. */
import { serviceDescriptions, serviceNames, type ServiceName } from '@berth/wire/model.ts'
import { arnName } from '#domain/arn.ts'
import type { Store } from '#state/store.ts'
import { tableNames, tables } from '#state/tables.ts'
import { enumsOf, existing as anyExisting, existingName, type Maker } from './any-input-testing.ts'
import { texts } from './samples-testing.ts'

type Enums = ReturnType<typeof enumsOf>
const enums = Object.fromEntries(
  await Promise.all(
    serviceNames.map(
      async (service) => [service, enumsOf(await serviceDescriptions[service].load())] as const,
    ),
  ),
) as Readonly<Record<ServiceName, Enums>>

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, '')
/** The services whose members are named after the kinds of things that they name. */
const byKind: readonly ServiceName[] = ['ecs', 'ecr', 'ec2']

/** What there is, by kind, under every name a caller might use; and tokens of pages that were not the last. */
export function existing(
  store: Store,
  tokens: readonly string[],
  service: ServiceName = 'ecs',
): Maker['likely'] {
  return byKind.includes(service)
    ? existingByKind(store, tokens, service)
    : existingByName(store, tokens, service)
}

function existingByKind(store: Store, tokens: readonly string[], service: ServiceName): Maker['likely'] {
  const kinds = new Map<string, string[]>([
    ['nexttoken', [...tokens]],
    ['registryid', ['000000000000']],
  ])
  const note = (kind: string, ref: string): void => {
    const known = kinds.get(kind)
    if (known) known.push(ref)
    else kinds.set(kind, [ref])
  }
  for (const table of tableNames)
    for (const row of store.list(table)) {
      const key = tables[table].key(row as never)
      const [kind, ref] = referenceOf(key)
      if (kind === undefined || ref === undefined) continue
      note(kind, key)
      if (ref !== key) note(kind, ref)
      if (kind.endsWith('id')) note('resources', key)
      if (kind === 'subnetid') note('subnets', key)
      if (kind === 'groupid') note('securitygroups', key)
      if (key.startsWith(`arn:aws:${service}:`)) note('resourcearn', key)
      if (kind === 'containerinstance') note('targetid', key)
      if (kind === 'taskdefinition') note('family', ref.replace(/:.*/, ''))
    }
  for (const { rules = [] } of store.list('securityGroup'))
    for (const { ruleId } of rules) note('securitygroupruleid', ruleId)
  for (const { associations } of store.list('routeTable'))
    for (const { associationId } of associations) note('associationid', associationId)
  return (member, struct) => {
    const name = plain(member)
    const kind = [...kinds.keys()]
      .filter((each) => name.includes(each))
      .toSorted((a, b) => b.length - a.length)[0]
    const refs = kind === undefined ? [] : (kinds.get(kind) ?? [])
    return refs.length > 0 ? refs : enums[service](member, struct)
  }
}

const ec2Kinds: Readonly<Record<string, string>> = {
  i: 'instanceid',
  subnet: 'subnetid',
  vpc: 'vpcid',
  sg: 'groupid',
  eni: 'networkinterfaceid',
  igw: 'internetgatewayid',
  rtb: 'routetableid',
}

/** Of what kind the thing with that key is, and its name. */
function referenceOf(key: string): readonly [kind?: string, name?: string] {
  // An image or a layer, which is named by the digest within its repository.
  if (key.includes('@')) return []
  const [, , service, , , resource] = key.split(':')
  if (resource !== undefined && key.startsWith('arn:aws:ec') && service)
    return [plain(resource.slice(0, resource.indexOf('/'))), arnName(key)]
  const kind = ec2Kinds[key.slice(0, key.indexOf('-'))]
  return kind === undefined ? [] : [kind, key]
}

/** By the texts that the samples know, and what only the rows tell. */
function existingByName(store: Store, tokens: readonly string[], service: ServiceName): Maker['likely'] {
  const own = texts[service] ?? {}
  const told: Readonly<Record<string, () => readonly string[]>> = {
    NextToken: () => tokens,
    nextToken: () => tokens,
    Marker: () => tokens,
    AccessKeyId: () => store.list('accessKey').map(({ accessKeyId }) => accessKeyId),
    DeletionTaskId: () => store.list('iamRole').map(({ path, roleName }) => `task${path}${roleName}/1`),
    SecretId: () => [...(own['SecretId'] ?? []), ...store.list('secret').map(({ secretArn }) => secretArn)],
  }
  return (member, struct) => {
    const found = told[member]?.() ?? own[member] ?? []
    return found.length > 0 ? found : enums[service](member, struct)
  }
}

/** The sample with names of what exists in place of `<existing>`. */
export function settled(value: unknown, names: Maker['likely'], member = ''): unknown {
  if (value === anyExisting) return names(member, '')[0]
  if (value === existingName) return names(member, '')[1]
  if (Array.isArray(value)) return value.map((item) => settled(item, names, member))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, settled(each, names, name)]))
}
