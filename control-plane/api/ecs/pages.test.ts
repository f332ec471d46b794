/** Every operation that answers in pages: how many it shows, how many may be asked for, and which tokens it takes. */
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { operations } from './operations.ts'
import { putCluster, putService, refusalOf } from './testing-rows.ts'

type Name = keyof typeof operations
type Paged = [name: Name, limit: number, input?: object]

const paged: readonly Paged[] = [
  ['DescribeCapacityProviders', 10],
  ['ListAccountSettings', 10],
  ['ListAttributes', 100, { targetType: 'container-instance' }],
  ['ListClusters', 100],
  ['ListContainerInstances', 100],
  ['ListDaemonTaskDefinitions', 100],
  ['ListDaemons', 100],
  ['ListServiceDeployments', 100, { service: 'web' }],
  ['ListServices', 100],
  ['ListTaskDefinitionFamilies', 100],
  ['ListTaskDefinitions', 100],
  ['ListTasks', 100],
]
/** Lists that have no pages, or need more of the world than these tests make: they are tested with their nouns. */
const elsewhere: readonly Name[] = ['ListDaemonDeployments', 'ListServicesByNamespace', 'ListTagsForResource']

async function refusalWith(name: Name, input: object): Promise<string> {
  const context = await testContext()
  putService(context, putCluster(context, 'default'), 'web')
  const row = operations[name]
  if (!('run' in row)) throw new Error(`no ${name}`)
  return refusalOf(() => row.run(context, input as never))
}

test('no list is missing here', () => {
  const known = [...paged.map(([name]) => name), ...elsewhere]
  const lists = (Object.keys(operations) as Name[]).filter(
    (name) => name.startsWith('List') && 'run' in operations[name],
  )
  expect(lists.filter((name) => !known.includes(name))).toEqual([])
})

test.each<Paged>(paged)('%s shows 1 to %d at once', async (name, limit, input = {}) => {
  for (const maxResults of [-1, 0, limit + 1])
    expect(await refusalWith(name, { ...input, maxResults })).toMatch(/^InvalidParameterException: /)
  for (const maxResults of [1, limit])
    expect(await refusalWith(name, { ...input, maxResults })).toBe('nothing')
})

test.each<Paged>(paged)('%s takes no token but its own', async (name, _, input = {}) => {
  const forged = Buffer.from(JSON.stringify(['key', 'signature'])).toString('base64url')
  for (const nextToken of ['x', '', forged])
    expect(await refusalWith(name, { ...input, nextToken })).toBe('InvalidParameterException: Invalid token')
})
