import { type Condition, readCondition } from './policy-conditions.ts'

/** A statement's Action, Resource or Principal, or what it is not. */
interface Matcher {
  readonly negated: boolean
  readonly values: readonly string[]
}

export interface PrincipalMatcher {
  readonly negated: boolean
  /** By kind: `AWS`, `Service`, `Federated`, `CanonicalUser`; of `"*"`, kind `*`. */
  readonly values: ReadonlyArray<readonly [kind: string, value: string]>
}

export interface Statement {
  readonly sid?: string
  readonly effect: 'Allow' | 'Deny'
  /** In small letters: actions are not distinguished by case. */
  readonly action: Matcher
  readonly resource?: Matcher
  readonly principal?: PrincipalMatcher
  readonly conditions: readonly Condition[]
}

export interface PolicyDocument {
  /** `${…}` stands for values of the request, since version 2012-10-17. */
  readonly variables: boolean
  readonly statements: readonly Statement[]
}

/** A document that AWS would not take; the message is of MalformedPolicyDocument. */
export class PolicyError extends Error {}

const syntax = 'Syntax errors in policy.'
const identity = { kind: 'identity', badJson: syntax } as const
const trust = { kind: 'trust', badJson: 'This policy contains invalid Json' } as const
type Use = typeof identity | typeof trust

/** A policy of an identity: whom it speaks of is who has it. Throws a PolicyError. */
export const parseIdentityPolicy = (text: string): PolicyDocument => parse(text, identity)

/** A role's trust policy: of what it speaks is the role. Throws a PolicyError. */
export const parseTrustPolicy = (text: string): PolicyDocument => parse(text, trust)

function parse(text: string, use: Use): PolicyDocument {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw new PolicyError(use.badJson)
  }
  const document = members(read, ['Version', 'Id', 'Statement'])
  const version = document['Version'] ?? '2008-10-17'
  if (version !== '2012-10-17' && version !== '2008-10-17') throw new PolicyError(syntax)
  if (version !== '2012-10-17' && use.kind === 'identity')
    throw new PolicyError('Policy document must be version 2012-10-17 or greater.')
  const statements = listOf(document['Statement'])
  if (statements.length === 0) throw new PolicyError(syntax)
  const parsed = statements.map((statement) => parseStatement(statement, use))
  const sids = parsed.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]))
  if (new Set(sids).size < sids.length)
    throw new PolicyError('Statement IDs (SID) in a single policy must be unique.')
  return { variables: version === '2012-10-17', statements: parsed }
}

const statementMembers = [
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'NotPrincipal',
  'Condition',
]

function parseStatement(read: unknown, use: Use): Statement {
  const statement = members(read, statementMembers)
  const { Effect: effect, Sid: sid } = statement
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyError(syntax)
  if (
    sid !== undefined &&
    (typeof sid !== 'string' || (use.kind === 'identity' && !/^[A-Za-z0-9]*$/.test(sid)))
  )
    throw new PolicyError(syntax)
  const action = actionsOf(statement, use)
  const resource = resourcesOf(statement, use)
  const principal = principalOf(statement, use)
  return {
    effect,
    action,
    ...(sid !== undefined && { sid }),
    ...(resource && { resource }),
    ...(principal && { principal }),
    conditions: conditionsOf(statement['Condition']),
  }
}

function actionsOf(statement: Readonly<Record<string, unknown>>, use: Use): Matcher {
  const matcher = eitherOf(statement, 'Action')
  if (!matcher || matcher.values.length === 0) throw new PolicyError('Policy statement must contain actions.')
  for (const value of matcher.values) {
    if (value === '*') continue
    const [vendor = '', name, ...rest] = value.split(':')
    if (name === undefined)
      throw new PolicyError('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')
    if (rest.length > 0) throw new PolicyError('Actions/Condition can contain only one colon.')
    if (!/^[A-Za-z0-9-]+$/.test(vendor)) throw new PolicyError(`Vendor ${vendor} is not valid`)
    if (!/^[A-Za-z0-9*?]+$/.test(name)) throw new PolicyError(syntax)
    if (use.kind === 'trust' && vendor.toLowerCase() !== 'sts')
      throw new PolicyError('AssumeRole policy may only specify STS AssumeRole actions.')
  }
  return { ...matcher, values: matcher.values.map((value) => value.toLowerCase()) }
}

function resourcesOf(statement: Readonly<Record<string, unknown>>, use: Use): Matcher | undefined {
  const matcher = eitherOf(statement, 'Resource')
  if (use.kind === 'trust') {
    if (matcher) throw new PolicyError('Has prohibited field Resource')
    return undefined
  }
  if (!matcher || matcher.values.length === 0)
    throw new PolicyError('Policy statement must contain resources.')
  for (const value of matcher.values) {
    // A wildcard may stand for any of the parts, but there must be six of them or it is one star.
    const isArn =
      /^arn:[^:]*:[^:]+:[^:]*:[^:]*:.+$/s.test(value) || /^(?:\*|arn:\*|a\*|ar\*|arn\*)$/.test(value)
    if (!isArn && !value.startsWith('${'))
      throw new PolicyError(`Resource ${value} must be in ARN format or "*".`)
  }
  return matcher
}

function principalOf(statement: Readonly<Record<string, unknown>>, use: Use): PrincipalMatcher | undefined {
  const negated = statement['Principal'] === undefined && statement['NotPrincipal'] !== undefined
  const given = statement[negated ? 'NotPrincipal' : 'Principal']
  if (use.kind === 'identity') {
    if (given !== undefined) throw new PolicyError('Policy document should not specify a principal.')
    return undefined
  }
  if (given === undefined) throw new PolicyError('Missing required field Principal')
  if (given === '*') return { negated, values: [['*', '*']] }
  const kinds = members(given, ['AWS', 'Service', 'Federated', 'CanonicalUser'])
  const values = Object.entries(kinds).flatMap(([kind, each]) =>
    textsOf(each).map((value): readonly [string, string] => {
      if (!isPrincipal(kind, value))
        throw new PolicyError(`Invalid principal in policy: "${kind}":"${value}"`)
      return [kind, value]
    }),
  )
  if (values.length === 0) throw new PolicyError('Missing required field Principal cannot be empty!')
  return { negated, values }
}

function isPrincipal(kind: string, value: string): boolean {
  switch (kind) {
    case 'AWS':
      return /^(?:\*|\d{12}|A(?:ROA|IDA)[A-Z2-7]{17}|arn:aws[\w-]*:(?:iam|sts)::\d{12}:(?:root|(?:user|role|assumed-role|federated-user)\/.+))$/.test(
        value,
      )
    case 'Service':
      return /^[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|internal)$/.test(value)
    default:
      return value !== ''
  }
}

function conditionsOf(given: unknown): Condition[] {
  if (given === undefined) return []
  return Object.entries(members(given)).flatMap(([operator, keys]) =>
    Object.entries(members(keys)).map(([key, values]) => {
      const condition = readCondition(operator, key, textsOf(values, true))
      if (!condition) throw new PolicyError(syntax)
      return condition
    }),
  )
}

function eitherOf(statement: Readonly<Record<string, unknown>>, name: string): Matcher | undefined {
  const plain = statement[name]
  const not = statement[`Not${name}`]
  if (plain !== undefined && not !== undefined) throw new PolicyError(syntax)
  if (plain === undefined && not === undefined) return undefined
  return { negated: plain === undefined, values: textsOf(plain ?? not) }
}

/** The members of an object, if it is one and has no others. */
function members(value: unknown, allowed?: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyError(syntax)
  for (const name of Object.keys(value)) if (allowed && !allowed.includes(name)) throw new PolicyError(syntax)
  return value as Readonly<Record<string, unknown>>
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value]
}

/** One text or a list of them; conditions also take numbers and booleans. */
function textsOf(value: unknown, scalars = false): readonly string[] {
  return listOf(value).map((each) => {
    if (typeof each === 'string') return each
    if (scalars && (typeof each === 'number' || typeof each === 'boolean')) return String(each)
    throw new PolicyError(syntax)
  })
}
