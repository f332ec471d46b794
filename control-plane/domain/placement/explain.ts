/** Why tasks go where they go, in numbers: for people who ask, so it may look at every instance. */
import { type Requirements, notAskedBecause, refusalRank, refusalOf } from './admission.ts'
import type { ClusterView } from './cluster-view.ts'
import type { InstanceLoad } from './instance-load.ts'
import type { PlacementRequest } from './place.ts'
import { type Query, matches, parseQuery } from './query.ts'
import { type Shortcoming, shortcomingOf } from './shortcoming.ts'
import { type Preference, preferencesOf } from './strategy.ts'

/** What was found of one instance. */
export interface InstanceVerdict {
  readonly containerInstanceArn: string
  readonly ec2InstanceId?: string
  /** 1: it is one of the best, and chance decides among them. Absent when it was ruled out. */
  readonly place?: number
  /** What each strategy saw, in order; less is better. */
  readonly scores?: ReadonlyArray<{ readonly strategy: string; readonly value: number }>
  /** The first thing that ruled it out: AWS's word where RunTask has one, else STATUS, LAUNCH TYPE or CAPACITY PROVIDER. */
  readonly reason?: string
  /** What it lacked, for a person. */
  readonly detail?: string
  readonly resource?: string
  readonly needed?: number
  readonly free?: number
}

/** How a memberOf expression fared among the instances that were asked. */
interface ExpressionCount {
  readonly expression: string
  readonly matched: number
  /** What `and` joins in it, each by itself. */
  readonly terms: ReadonlyArray<{ readonly term: string; readonly matched: number }>
}

export interface PlacementExplanation {
  /** How many instances the cluster has, and how many could take the task. */
  readonly instancesCount: number
  readonly eligibleCount: number
  /** How many instances came to each filter and how many fell, in the order asked; those that ruled nothing out are left out. */
  readonly filters: ReadonlyArray<{
    readonly filter: string
    readonly asked: number
    readonly ruledOut: number
  }>
  /** Instances whose kind is asked for, whatever they lack: what expressions are counted over. */
  readonly candidatesCount: number
  readonly expressions: readonly ExpressionCount[]
  /** Of the candidates, the one that met most requirements; among equals the one that lacks least. */
  readonly closest?: InstanceVerdict
  /** All of them: those that could take the task, the best first, then the others, those that came furthest first. */
  readonly instances: readonly InstanceVerdict[]
}

interface Seen {
  readonly load: InstanceLoad
  readonly reason: string | undefined
  /** How far it came: below 0 when it was not even asked. */
  readonly rank: number
  readonly lacks?: Shortcoming
  readonly scores: readonly number[]
}

/** Explains where one more task would go. Changes nothing. Throws QueryError when an expression does not parse. */
export function explainPlacement(
  view: ClusterView,
  request: Omit<PlacementRequest, 'fraction'>,
): PlacementExplanation {
  const preferences = preferencesOf(request.strategies, request.group)
  const scoresOf = scorer(view, preferences)
  const refusal = refusalOf(request)
  const seen = [...view.instances()].map((load) => look(load, request, refusal, scoresOf))
  const eligible = seen.filter(({ reason }) => reason === undefined).toSorted(byScores)
  const refused = seen.filter(({ reason }) => reason !== undefined).toSorted(byCloseness)
  const candidates = seen.filter(({ rank }) => rank >= 0)
  const [nearest] = refused
  let place = 0
  return {
    instancesCount: seen.length,
    eligibleCount: eligible.length,
    candidatesCount: candidates.length,
    filters: filtersOf(seen),
    expressions: expressionsOf(request, candidates),
    ...(nearest && nearest.rank >= 0 && { closest: show(nearest) }),
    instances: [
      ...eligible.map((one, index) => {
        const before = eligible[index - 1]
        if (!before || byScores(before, one) !== 0) place = index + 1
        return {
          ...show(one),
          place,
          scores: preferences.map(({ name }, depth) => ({ strategy: name, value: one.scores[depth] ?? 0 })),
        }
      }),
      ...refused.map(show),
    ],
  }
}

const earlyFilters = ['STATUS', 'LAUNCH TYPE', 'CAPACITY PROVIDER'] as const

function look(
  load: InstanceLoad,
  request: Requirements,
  refusal: (load: InstanceLoad) => string | undefined,
  scoresOf: (load: InstanceLoad) => readonly number[],
): Seen {
  const early = notAskedBecause(load, request)
  if (early) {
    const lacks = { detail: early.detail, short: 0 }
    return { load, reason: early.filter, rank: earlyFilters.indexOf(early.filter) - 3, lacks, scores: [] }
  }
  const reason = refusal(load)
  if (reason === undefined) return { load, reason, rank: Infinity, scores: scoresOf(load) }
  return { load, reason, rank: refusalRank(reason), lacks: shortcomingOf(reason, load, request), scores: [] }
}

/** How the strategies see an instance now. A spread over an attribute counts the tasks of all instances with its value. */
function scorer(view: ClusterView, preferences: readonly Preference[]): (load: InstanceLoad) => number[] {
  const tallies = preferences.map(({ attribute, rankOf }) => {
    const tally = new Map<string | undefined, number>()
    if (attribute !== undefined)
      for (const load of view.instances()) {
        const value = load.attributes.get(attribute)
        tally.set(value, (tally.get(value) ?? 0) + rankOf(load))
      }
    return tally
  })
  return (load) =>
    preferences.map(({ attribute, rankOf }, depth) =>
      attribute === undefined ? rankOf(load) : (tallies[depth]?.get(load.attributes.get(attribute)) ?? 0),
    )
}

function byScores(one: Seen, other: Seen): number {
  for (const [depth, score] of one.scores.entries()) {
    const difference = score - (other.scores[depth] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function byCloseness(one: Seen, other: Seen): number {
  return other.rank - one.rank || (one.lacks?.short ?? 0) - (other.lacks?.short ?? 0)
}

function filtersOf(seen: readonly Seen[]): PlacementExplanation['filters'] {
  const fallen = [...Map.groupBy(seen, ({ reason }) => reason)]
    .flatMap(([filter, some]) =>
      filter === undefined ? [] : [{ filter, ruledOut: some.length, rank: some[0]?.rank ?? 0 }],
    )
    .toSorted((one, other) => one.rank - other.rank)
  let asked = seen.length
  return fallen.map(({ filter, ruledOut }) => {
    const row = { filter, asked, ruledOut }
    asked -= ruledOut
    return row
  })
}

function expressionsOf({ constraints }: Requirements, candidates: readonly Seen[]): ExpressionCount[] {
  const count = (query: Pick<Query, 'predicate'>): number =>
    candidates.filter(({ load: { instance, attributes, groups, runningTasksCount } }) => {
      return instance && matches(query, { instance, attributes, groups, runningTasksCount })
    }).length
  return constraints
    .filter(({ type }) => type === 'memberOf')
    .map(({ expression = '' }) => {
      const query = parseQuery(expression)
      const terms = query.terms.map(({ text, predicate }) => ({ term: text, matched: count({ predicate }) }))
      return { expression, matched: count(query), terms }
    })
}

function show({ load, reason, lacks }: Seen): InstanceVerdict {
  const { resource, needed, free, detail } = lacks ?? {}
  return {
    containerInstanceArn: load.arn,
    ...(load.instance?.ec2InstanceId !== undefined && { ec2InstanceId: load.instance.ec2InstanceId }),
    ...(reason !== undefined && { reason }),
    ...(detail !== undefined && { detail }),
    ...(resource !== undefined && { resource, needed: needed ?? 0, free: free ?? 0 }),
  }
}
