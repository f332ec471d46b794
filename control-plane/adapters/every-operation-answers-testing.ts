/** All that can be wrong with an answer of any operation, and with what the call left behind. For tests. */
import { readFileSync } from 'node:fs'
import {
  loadModel,
  serviceDescriptions,
  serviceNames,
  type ServiceModel,
  type ServiceName,
} from '@berth/wire/model.ts'
import type { Shape } from '@berth/wire/shape.ts'
import type { Task } from '#domain/task.ts'
import { brokenInvariants, overfull } from '#state/invariants.ts'
import type { Change } from '#state/store.ts'
import type { Answered, ApiWorld } from './api-world-testing.ts'

/** Of every service. */
export const models = Object.fromEntries(
  await Promise.all(serviceNames.map(async (service) => [service, await loadModel(service)] as const)),
) as Readonly<Record<ServiceName, ServiceModel>>

const packages: Partial<Record<ServiceName, string>> = {
  events: 'eventbridge',
  logs: 'cloudwatch-logs',
  secretsmanager: 'secrets-manager',
}

const validation = ['SerializationException', 'UnsupportedFeatureException', 'ValidationException']
const query = ['MalformedInput', 'UnsupportedFeatureException', 'ValidationError', 'AccessDenied']
/**
 * What may be answered of any operation: the framework's errors, and that Berth lacks something. EC2's model names no
 * errors.
 */
const always: Readonly<Record<Exclude<ServiceName, 'ec2'>, readonly string[]>> = {
  ecs: ['SerializationException', 'InvalidParameterException', 'UnsupportedFeatureException'],
  ecr: ['SerializationException', 'InvalidParameterException', 'UnsupportedFeatureException'],
  iam: query,
  sts: query,
  events: validation,
  logs: ['SerializationException', 'InvalidParameterException', 'UnsupportedFeatureException'],
  // An empty name in its path is no operation's.
  scheduler: [...validation, 'UnknownOperationException'],
  secretsmanager: [...validation, 'AccessDeniedException'],
  ssm: [...validation, 'AccessDeniedException'],
}
/** What AWS answers, though its model does not say so. */
const beyond: Readonly<Record<string, readonly string[]>> = {
  'ecs:TagResource': ['ServiceNotFoundException'],
  'ecs:UntagResource': ['ServiceNotFoundException'],
  'ecs:ListTagsForResource': ['ServiceNotFoundException'],
  'iam:GetAccessKeyLastUsed': ['NoSuchEntity'],
  'iam:TagRole': ['UnmodifiableEntity'],
  'iam:UntagRole': ['UnmodifiableEntity'],
  'iam:CreateRole': ['NoSuchEntity'],
  'sts:AssumeRole': ['InvalidParameterValue'],
}
const modelled = new Map<string, readonly string[]>()

/** The errors that the SDK documents of an operation; its runtime schemas do not name them. */
async function errorsOf(service: Exclude<ServiceName, 'ec2'>, operation: string): Promise<readonly string[]> {
  const key = `${service}:${operation}`
  let errors = modelled.get(key)
  if (!errors) {
    const file = new URL(
      `dist-types/commands/${operation}Command.d.ts`,
      import.meta.resolve(`@aws-sdk/client-${packages[service] ?? service}/package.json`),
    )
    const named = readFileSync(file, 'utf8').matchAll(/@throws \{@link (\w+)\}/g)
    const sdk = (await serviceDescriptions[service].load()) as Readonly<Record<string, unknown>>
    errors = [
      ...always[service],
      ...(beyond[key] ?? []),
      ...[...named].map(([, name = '']) => codeOf(sdk[`${name}$`]) ?? name),
    ]
    modelled.set(key, errors)
  }
  return errors
}

/** What the query protocol calls an error: `NoSuchEntity`, where the model says NoSuchEntityException. */
function codeOf(schema: unknown): string | undefined {
  const traits: unknown = Array.isArray(schema) ? schema[3] : undefined
  const { awsQueryError } = (traits ?? {}) as { readonly awsQueryError?: readonly [string, number] }
  return awsQueryError?.[0]
}

/** Where an answer is not as its shape says. */
function misfits(shape: Shape, value: unknown, path: string): string[] {
  if (value === undefined) return []
  switch (shape.kind) {
    case 'struct':
      return Object.entries(value as object).flatMap(([name, each]) => {
        const member = shape.members.get(name)
        return member
          ? misfits(member.shape, each, `${path}.${name}`)
          : [`${path}.${name} is not in the model`]
      })
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((each, index) => misfits(shape.item, each, `${path}[${index}]`))
        : [`${path} is no list`]
    case 'map':
      return Object.entries(value as object).flatMap(([key, each]) =>
        misfits(shape.value, each, `${path}.${key}`),
      )
    case 'string':
    case 'blob':
      return typeof value === 'string' ? [] : [`${path} is no text`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is neither true nor false`]
    case 'integer':
    case 'number':
    case 'timestamp':
      return typeof value === 'number' ? [] : [`${path} is no number`]
    case 'document':
      return []
  }
}

/** The key that signs page tokens, and EC2's default network: whoever first looks for them finds them. */
const madeWhenNeeded: readonly string[] = ['installationSecret', 'vpc', 'subnet', 'securityGroup']

/** Whether nothing was noted but that somebody has read it. */
function isAccess({ before, after }: Change): boolean {
  const unread = (row: object | undefined): string => JSON.stringify({ ...row, accessedAt: 0 })
  return before !== undefined && after !== undefined && unread(before) === unread(after)
}

/** All that is wrong with an answer and with what the call left behind. */
export async function wrongs(
  { context }: ApiWorld,
  service: ServiceName,
  operation: string,
  answered: Answered,
): Promise<string[]> {
  const { status, code, message, body, changes, faults } = answered
  const output = models[service].get(operation)?.output
  const errors = code === undefined || service === 'ec2' ? undefined : await errorsOf(service, operation)
  const written = changes
    .filter((change) => !madeWhenNeeded.includes(change.table) && !isAccess(change))
    .map(({ table }) => table)
  return [
    ...faults.map((fault) => `failed: ${fault instanceof Error ? fault.stack : String(fault)}`),
    ...(status < 500 ? [] : [`answered ${status}`]),
    ...(code === undefined || !errors || errors.includes(code)
      ? []
      : [`answered ${code} (${message}), which the model does not have for it`]),
    ...(code === undefined || message !== '' ? [] : [`answered ${code} without a message`]),
    ...(code === undefined && output ? misfits(output, body, 'the answer') : []),
    ...(code === undefined || written.length === 0
      ? []
      : [`was refused with ${code} and changed ${written.join(', ')}`]),
    ...(/^(?:Describe|List|Get|Discover)/.test(operation) && written.length > 0
      ? [`only reads, and changed ${written.join(', ')}`]
      : []),
    ...(changes.length > 0 ? brokenInvariants(context.store, context.fleet) : []),
    ...overfull(
      context.store,
      changes.flatMap(({ table, before, after }) =>
        table === 'task' && !before && after ? [after as Task] : [],
      ),
    ),
  ]
}
