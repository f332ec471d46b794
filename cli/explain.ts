import { readFileSync } from 'node:fs'
import type {
  CapacityProviderStrategyItem,
  LaunchType,
  PlacementConstraint,
  PlacementStrategy,
} from '@aws-sdk/client-ecs'
import type { Explanation, ExplainRequest } from '@berth/control-plane/api/ecs/explain/explain.ts'
import { type EndpointOptions, post } from './endpoint.ts'
import { explanationText } from './explain-text.ts'
import { Failure } from './failure.ts'

interface Output {
  readonly json?: boolean
  readonly all?: boolean
}

export interface RunTaskFlags extends EndpointOptions, Output {
  readonly cluster?: string
  readonly taskDefinition?: string
  readonly count?: number
  readonly launchType?: string
  readonly group?: string
  readonly placementConstraints?: readonly string[]
  readonly placementStrategy?: readonly string[]
  readonly capacityProviderStrategy?: readonly string[]
  readonly cliInputJson?: string
}

/** What RunTask would do with the flags, which take the place of what the file says. */
export async function explainRunTask(flags: RunTaskFlags): Promise<void> {
  const { cluster, taskDefinition, count, launchType, group } = flags
  const given = {
    cluster,
    taskDefinition,
    count,
    launchType: launchType as LaunchType | undefined,
    group,
    placementConstraints: structures<PlacementConstraint>(flags.placementConstraints, 'expression'),
    placementStrategy: structures<PlacementStrategy>(flags.placementStrategy, 'field'),
    capacityProviderStrategy: structures<CapacityProviderStrategyItem>(flags.capacityProviderStrategy),
  }
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  await explain(flags, { operation: 'RunTask', input: { ...inputOf(flags.cliInputJson), ...named } as never })
}

export interface CreateServiceFlags extends EndpointOptions, Output {
  readonly cliInputJson: string
}

/** What CreateService would do, and where the service's tasks would go. */
export async function explainCreateService(flags: CreateServiceFlags): Promise<void> {
  await explain(flags, { operation: 'CreateService', input: inputOf(flags.cliInputJson) as never })
}

/** Where the tasks go that a service lacks, or where one more would: `demo/web`, or `web` in the cluster `default`. */
export async function explainService(name: string, flags: EndpointOptions & Output): Promise<void> {
  const parts = name.split('/')
  const service = parts.at(-1) ?? ''
  const cluster = parts.at(-2)
  if (parts.length > 2 || service === '')
    throw new Failure(`name the service as CLUSTER/SERVICE, not ${name}`)
  await explain(flags, {
    operation: 'UpdateService',
    input: { service, ...(cluster !== undefined && { cluster }) },
  })
}

/** Prints the explanation. The exit status is 2 when not all tasks find a place. */
async function explain(flags: EndpointOptions & Output, request: ExplainRequest): Promise<void> {
  const explanation = (await post(flags, '/berth/explain', request)) as Explanation
  console.log(
    flags.json
      ? JSON.stringify(explanation, undefined, 2)
      : explanationText(explanation, flags.all ? Infinity : undefined),
  )
  if (explanation.outcome !== 'PLACED') process.exitCode = 2
}

/** The input of an operation: JSON, or where it is, as the AWS CLI takes it; `-` is the standard input. */
function inputOf(source: string | undefined): object {
  if (source === undefined) return {}
  const text = source.trimStart().startsWith('{') ? source : readSource(source)
  try {
    const input: unknown = JSON.parse(text)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  } catch {
    // told below
  }
  throw new Failure(
    `--cli-input-json ${source === '-' ? 'from the standard input' : source} is no JSON object`,
  )
}

function readSource(source: string): string {
  try {
    return readFileSync(source === '-' ? 0 : source.replace(/^file:\/\//, ''), 'utf8')
  } catch (error) {
    throw new Failure(`${source} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * Structures as the AWS CLI takes them: JSON, or `type=memberOf,expression=…`. All that follows `last=` belongs to its
 * value, as expressions have commas.
 */
function structures<Structure>(texts: readonly string[] | undefined, last?: string): Structure[] | undefined {
  return texts?.flatMap((text): Structure[] => {
    if (/^\s*[[{]/.test(text)) return [JSON.parse(text) as Structure | Structure[]].flat() as Structure[]
    const end = last === undefined ? -1 : text.indexOf(`,${last}=`)
    const pairs = (end === -1 ? text : text.slice(0, end)).split(',')
    if (end !== -1) pairs.push(text.slice(end + 1))
    const members = pairs.map((pair): [string, string | number] => {
      const at = pair.indexOf('=')
      if (at < 1) throw new Failure(`${text} is neither JSON nor name=value`)
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
      return [name, name === 'base' || name === 'weight' ? Number(value) : value]
    })
    return [Object.fromEntries(members) as Structure]
  })
}
