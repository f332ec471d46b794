/** An explanation of placement as a person reads it. */
import type { Explanation } from '@berth/control-plane/api/ecs/explain/explain.ts'

type Placement = NonNullable<Explanation['placements']>[number]
type Verdict = Placement['instances'][number]

/** The verdict, and for each place that was looked for what ruled out how many instances, and every instance. */
export function explanationText(explanation: Explanation, rowsMax = 20): string {
  const { verdict, tasks = [], placements = [] } = explanation
  const shared = tasks.length > 1 ? [verdict, placesText(tasks)].join('\n') : verdict
  return [shared, ...placements.map((placement) => placementText(placement, rowsMax))].join('\n\n')
}

/** How many tasks would go where, for those that go somewhere. */
function placesText(tasks: NonNullable<Explanation['tasks']>): string {
  const places = Map.groupBy(tasks, ({ containerInstanceArn }) => containerInstanceArn)
  return [...places].map(([arn, some]) => `  ${some.length} on ${arn.split('/').at(-1)}`).join('\n')
}

function placementText(placement: Placement, rowsMax: number): string {
  const { capacityProvider, when, instances, expressions, candidatesCount } = placement
  const rows: Array<readonly [string, string]> = [
    ['task', taskText(placement)],
    ...(capacityProvider === undefined ? [] : [['provider', capacityProvider] as const]),
    ['instances', filtersText(placement)],
    ['strategy', strategiesText(placement)],
    ...expressions.flatMap(({ expression, matched, terms }): Array<readonly [string, string]> => [
      ['expression', `${expression}  (${matched} of ${candidatesCount} match)`],
      ...(terms.length > 1 ? terms : []).map(
        ({ term, matched: some }) => ['', `  ${term}  (${some} match)`] as const,
      ),
    ]),
    ...(when === 'WHEN FULL' ? [['as of', 'when the first task finds no place'] as const] : []),
  ]
  const facts = rows.map(([name, text]) => `${name.padEnd(11)}${text}`)
  if (instances.length === 0) return facts.join('\n')
  const left = instances.length - rowsMax
  const more = left > 0 ? [`… and ${left} more; --all shows them`] : []
  return [...facts, '', ...tableOf(instances.slice(0, rowsMax)), ...more].join('\n')
}

function taskText({ task: { demand, group, launchType } }: Placement): string {
  const ports = demand.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')
  return [
    group,
    `${demand.cpu} CPU units`,
    `${demand.memoryMiB} MiB`,
    ...(demand.gpu > 0 ? [`${demand.gpu} GPUs`] : []),
    ...(ports === '' ? [] : [`ports ${ports}`]),
    `launch type ${launchType}`,
  ].join(' · ')
}

function filtersText({ instancesCount, eligibleCount, filters }: Placement): string {
  const steps = filters.map(({ filter, ruledOut }) => `${filter} rules out ${ruledOut}`)
  return [String(instancesCount), ...steps, `${eligibleCount} can take it`].join(' → ')
}

function strategiesText({ placementStrategy }: Placement): string {
  if (placementStrategy.length === 0) return 'random'
  return placementStrategy
    .map(({ type, field }) => (field === undefined || field === '' ? type : `${type}(${field})`))
    .join(', then ')
}

function tableOf(instances: readonly Verdict[]): string[] {
  const rows = [
    ['PLACE', 'CONTAINER INSTANCE', 'EC2 INSTANCE', 'WHY'],
    ...instances.map((one) => [
      one.place === undefined ? '-' : String(one.place),
      one.containerInstanceArn.split('/').at(-1) ?? '',
      one.ec2InstanceId ?? '-',
      whyText(one),
    ]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function whyText({ reason, detail, scores = [] }: Verdict): string {
  if (reason !== undefined) return `${reason}: ${detail ?? ''}`
  if (scores.length === 0) return 'can take it'
  return scores.map(({ strategy, value }) => `${strategy} ${value}`).join(', ')
}
