import type { DecidingPolicies } from '#domain/iam/decision.ts'
import type { IamPolicy, PolicyHolder } from '#domain/iam/entities.ts'
import { iamKey } from '#domain/iam/entities.ts'
import { managedPolicies } from '#domain/iam/managed-policies.ts'
import { parseIdentityPolicy, type PolicyDocument } from '#domain/iam/policy-document.ts'
import { builtInRole, instanceRoleName } from '#domain/instance.ts'
import { externalRole } from '#domain/join.ts'
import type { SessionClaims } from './session-credentials.ts'
import type { View } from './store.ts'

type Reader = Pick<View, 'find'>

/** All policies that say what somebody may, and what policies may ask of it. */
export interface PrincipalPolicies extends DecidingPolicies {
  /** Its tags, for `aws:PrincipalTag/…`. */
  readonly tags: ReadonlyArray<{ readonly key: string; readonly value: string }>
  /** `aws:username`. */
  readonly userName?: string
}

/** Somebody whose policies are asked for, as their signature shows them. */
export interface Principal {
  readonly accountId: string
  readonly arn: string
  readonly userId: string
  readonly session?: SessionClaims
}

export const isRoot = ({ arn }: Pick<Principal, 'arn'>): boolean => arn.endsWith(':root')

/** What AWS's own instance role has attached: of instances whose role nobody made. */
const instanceRolePolicyArn = 'arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role'

/** The policies of a user, or of the role of a session. Who is no more, or was never made, has none. */
export function policiesOf(view: Reader, principal: Principal): PrincipalPolicies {
  const { arn, session } = principal
  const own = /:user\//.test(arn) ? ofUser(view, principal) : ofRole(view, principal)
  if (!session || (session.policy === undefined && session.policyArns === undefined)) return own
  const limits = (session.policyArns ?? []).flatMap((policyArn) => policyByArn(view, policyArn) ?? [])
  return {
    ...own,
    session: [...limits, ...(session.policy === undefined ? [] : [parsedText(session.policy)])],
  }
}

function ofUser(view: Reader, { accountId, arn }: Principal): PrincipalPolicies {
  const row = view.find('iamUser', iamKey(accountId, nameOf(arn)))
  if (!row) return { identity: [], tags: [] }
  const groups = row.groupNames.flatMap((name) => view.find('iamGroup', iamKey(accountId, name)) ?? [])
  return {
    identity: [row, ...groups].flatMap((holder) => heldBy(view, holder)),
    ...boundaryOf(view, row.permissionsBoundary),
    tags: row.tags,
    userName: row.userName,
  }
}

function ofRole(view: Reader, { accountId, arn, userId, session }: Principal): PrincipalPolicies {
  const roleName = arn.split('/').at(1) ?? ''
  const row = view.find('iamRole', iamKey(accountId, roleName))
  const tags = session?.tags ?? []
  if (!row) {
    const isInstance = roleName === instanceRoleName || roleName === externalRole.roleName
    return { identity: isInstance ? (policyByArn(view, instanceRolePolicyArn) ?? []) : [], tags }
  }
  // The sessions of a role that was deleted are not those of the one made anew by its name.
  const builtInIds = [builtInRole.roleId, externalRole.roleId]
  const builtIn = session === undefined && builtInIds.some((id) => userId.startsWith(`${id}:`))
  if (!builtIn && !userId.startsWith(`${row.roleId}:`)) return { identity: [], tags }
  const overridden = new Set(tags.map(({ key }) => key.toLowerCase()))
  return {
    identity: heldBy(view, row),
    ...boundaryOf(view, row.permissionsBoundary),
    tags: [...tags, ...row.tags.filter(({ key }) => !overridden.has(key.toLowerCase()))],
  }
}

function boundaryOf(view: Reader, arn: string | undefined): Pick<PrincipalPolicies, 'boundary'> {
  return arn === undefined ? {} : { boundary: policyByArn(view, arn) ?? [] }
}

const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1)

/** Policies are read once for each row: a row is never changed, only replaced. */
const inlineOf = new WeakMap<PolicyHolder, readonly PolicyDocument[]>()
const customerOf = new WeakMap<IamPolicy, readonly PolicyDocument[]>()
const managed = new Map<string, readonly PolicyDocument[]>()

/** Inline policies and those attached. */
export function heldBy(view: Reader, holder: PolicyHolder): readonly PolicyDocument[] {
  let inline = inlineOf.get(holder)
  if (!inline) {
    inline = holder.inlinePolicies.map(({ document }) => parseIdentityPolicy(document))
    inlineOf.set(holder, inline)
  }
  const attached = holder.attachedPolicyArns.flatMap((arn) => policyByArn(view, arn) ?? [])
  return attached.length === 0 ? inline : [...inline, ...attached]
}

/** A policy's default version, alone in a list; undefined when there is no such policy. */
function policyByArn(view: Reader, arn: string): readonly PolicyDocument[] | undefined {
  const known = managedPolicies.get(arn)
  if (known) {
    let parsed = managed.get(arn)
    if (!parsed) managed.set(arn, (parsed = [parseIdentityPolicy(known.document)]))
    return parsed
  }
  const row = view.find('iamPolicy', iamKey(arn.split(':')[4] ?? '', nameOf(arn)))
  if (!row || row.arn !== arn) return undefined
  let parsed = customerOf.get(row)
  if (!parsed) {
    const version = row.versions.find(({ versionId }) => versionId === row.defaultVersionId)
    parsed = version ? [parseIdentityPolicy(version.document)] : []
    customerOf.set(row, parsed)
  }
  return parsed
}

const texts = new Map<string, PolicyDocument>()
const textsMax = 1000

/** A session's policy is read again at each request, out of its token. */
function parsedText(text: string): PolicyDocument {
  let parsed = texts.get(text)
  if (!parsed) {
    parsed = parseIdentityPolicy(text)
    if (texts.size >= textsMax) texts.clear()
    texts.set(text, parsed)
  }
  return parsed
}
