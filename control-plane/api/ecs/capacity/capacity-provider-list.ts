import type {
  CapacityProvider as ShownCapacityProvider,
  DescribeCapacityProvidersRequest,
  DescribeCapacityProvidersResponse,
  Failure,
} from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import { page } from '#api/page.ts'
import { scopeKey } from '#domain/arn.ts'
import {
  builtInProviders,
  capacityProviderArn,
  capacityProviderName,
  isBuiltInProvider,
} from '#domain/capacity-provider.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { showBuiltInProvider, showCapacityProvider } from './show-capacity-provider.ts'

const describedCountMax = 100
const pageMax = 10

/**
 * Shows the providers named, or all there are that are not deleted, the built-in ones first. With a cluster only those
 * associated with it count as there.
 */
export const describeCapacityProviders: Operation<
  DescribeCapacityProvidersRequest,
  DescribeCapacityProvidersResponse
> = {
  resources: ({ scope }, { capacityProviders = [] }) =>
    capacityProviders.length === 0
      ? ['*']
      : capacityProviders.map((ref) => capacityProviderArn(scope, capacityProviderName(scope, ref) ?? '*')),
  run: (context, input) => {
    const { capacityProviders = [], include = [], maxResults, nextToken } = input
    if (capacityProviders.length > describedCountMax)
      refuse(`Capacity providers cannot have more than ${describedCountMax} elements.`)
    const cluster =
      input.cluster === undefined ? undefined : resolveCluster(context.store, context, input.cluster)
    const tags = include.includes('TAGS')
    const asked = capacityProviders.length > 0 ? namesOf(context, capacityProviders) : allNames(context)
    const found: ShownCapacityProvider[] = []
    const failures: Failure[] = []
    for (const [arn, name] of asked) {
      const associated = !cluster || (name !== undefined && cluster.capacityProviders.includes(name))
      const shown = associated && name !== undefined ? show(context, name, tags) : undefined
      if (shown) found.push(shown)
      else if (capacityProviders.length > 0) failures.push({ arn, reason: 'MISSING' })
    }
    const { rows, ...rest } = page(
      found,
      {
        context,
        maxResults,
        nextToken,
        limit: pageMax,
        default: pageMax,
        parameters: {
          operation: 'DescribeCapacityProviders',
          capacityProviders,
          cluster: cluster?.clusterArn,
          tags,
        },
      },
      orderOf,
    )
    // What is missing is said once, with the first page.
    return { capacityProviders: [...rows], failures: nextToken === undefined ? failures : [], ...rest }
  },
}

/** The built-in ones in their order, then the others by name. */
function orderOf({ name = '' }: ShownCapacityProvider): string {
  return isBuiltInProvider(name) ? `0 ${builtInProviders.indexOf(name)}` : `1 ${name}`
}

/** By ARN, each once; the name is undefined for an ARN that is none of the caller's providers. */
function namesOf({ scope }: Context, refs: readonly string[]): ReadonlyMap<string, string | undefined> {
  return new Map(
    refs.map((ref) => {
      const name = capacityProviderName(scope, ref)
      return [name === undefined ? ref : capacityProviderArn(scope, name), name]
    }),
  )
}

function allNames({ store, scope }: Context): ReadonlyMap<string, string | undefined> {
  const own = store
    .by('capacityProvider', 'scope', scopeKey(scope))
    .filter(({ status }) => status === 'ACTIVE')
  return new Map(
    [...builtInProviders, ...own.map(({ name }) => name)].map((name) => [
      capacityProviderArn(scope, name),
      name,
    ]),
  )
}

/** Also a deleted one, until it is forgotten; only a list of all leaves those out. */
function show({ store, scope }: Context, name: string, tags: boolean): ShownCapacityProvider | undefined {
  if (isBuiltInProvider(name)) return showBuiltInProvider(scope, name)
  const row = store.find('capacityProvider', capacityProviderArn(scope, name))
  return row && showCapacityProvider(store, row, { tags })
}
