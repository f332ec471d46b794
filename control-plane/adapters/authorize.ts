import type { Clock } from '@berth/std/clock.ts'
import { AwsError } from '@berth/wire/error.ts'
import { type ServiceName, serviceDescriptions } from '@berth/wire/model.ts'
import type { SignedRequest } from '@berth/wire/sigv4.ts'
import type { Caller, ConditionKeys, Permission } from '#api/operation.ts'
import { isFargateHost } from '#domain/fargate.ts'
import { decide } from '#domain/iam/decision.ts'
import type { ConditionContext } from '#domain/iam/policy-conditions.ts'
import { conditionKeysOf } from '#state/principal-conditions.ts'
import { isRoot, policiesOf } from '#state/principal-policies.ts'
import type { View } from '#state/store.ts'
import type { Identity } from './authenticate.ts'

/** A request as policies see it. What is a function is asked for only when a policy wants to know. */
export interface AuthorizationRequest {
  readonly caller: Caller
  readonly service: ServiceName
  readonly region: string
  /** `ecs:RunTask`. */
  readonly action: string
  readonly resources: readonly string[]
  readonly conditions?: () => ConditionKeys
  /** What the caller must be allowed besides. */
  readonly further?: () => readonly Permission[]
  /** Whether the resource's own policy allows the caller. */
  readonly granted?: () => boolean
  readonly sourceIp?: string
}

/** Says whether the caller may do what is asked. Throws the AwsError of a refusal. */
export type Authorize = (request: AuthorizationRequest) => void

/** What everybody may ask, whatever policies say. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const free: readonly string[] = ['sts:GetCallerIdentity', 'sts:GetSessionToken']

/**
 * Decides by the policies of whoever signed: users with their groups, roles, sessions, permissions boundaries. Root may do
 * everything, and so may the hosts of Fargate: they are this control plane's own, and no task reaches their credentials.
 */
export function iamAuthorize(store: Pick<View, 'find'>, clock: Pick<Clock, 'now'>): Authorize {
  return (request) => {
    const { caller, action, resources, conditions, granted } = request
    if (isRoot(caller) || isFargateHost(caller) || free.includes(action)) return
    const policies = policiesOf(store, caller)
    // A resource's policy that allows the caller does in place of their own; what they may at most still holds.
    const deciding =
      granted?.() === true ? { ...policies, identity: [everything, ...policies.identity] } : policies
    const require = (permission: Permission, keys: (() => ConditionKeys) | undefined): void => {
      let known: ConditionContext | undefined
      const context = (): ConditionContext => (known ??= contextOf(store, clock, request, permission, keys))
      const { decision, because } = decide(deciding, { ...permission, context })
      if (decision !== 'allowed') throw refusal(request, permission, because)
    }
    for (const resource of resources.length > 0 ? resources : ['*']) require({ action, resource }, conditions)
    for (const permission of request.further?.() ?? []) require(permission, () => permission.conditions ?? {})
  }
}

const everything = {
  variables: false,
  statements: [
    {
      effect: 'Allow',
      action: { negated: false, values: ['*'] },
      resource: { negated: false, values: ['*'] },
      conditions: [],
    },
  ],
} as const

function contextOf(
  store: Pick<View, 'find'>,
  clock: Pick<Clock, 'now'>,
  { caller, region, sourceIp }: AuthorizationRequest,
  { resource }: Permission,
  keys: (() => ConditionKeys) | undefined,
): ConditionContext {
  const own = Object.entries(keys?.() ?? {}).map(([key, value]) => [key.toLowerCase(), value])
  const tags = store.find('resourceTags', resource)?.tags ?? []
  return {
    ...conditionKeysOf(store, caller, clock.now(), region),
    'aws:sourceip': sourceIp,
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:resourcetag/${key.toLowerCase()}`, value])),
    ...Object.fromEntries(own),
  }
}

/**
 * Whether an agent may open its connection to the control plane (`/acs/ws`, `/tcs/ws`), for which there are actions without
 * an operation. Throws the AwsError of a refusal.
 */
export function authorizeAgent(
  authorize: Authorize,
  request: SignedRequest,
  { caller, credential }: Identity,
): void {
  const query = new URLSearchParams(request.rawQuery)
  const cluster = query.get('clusterArn') ?? query.get('cluster') ?? undefined
  authorize({
    caller,
    service: 'ecs',
    region: credential.region,
    action: request.path.startsWith('/tcs') ? 'ecs:StartTelemetrySession' : 'ecs:Poll',
    resources: [query.get('containerInstanceArn') ?? query.get('containerInstance') ?? '*'],
    conditions: () => ({ 'ecs:cluster': cluster }),
  })
}

/** In the words of each kind of service. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function refusal(
  { caller, service }: AuthorizationRequest,
  { action, resource }: Permission,
  because: string,
): AwsError {
  const whom = `User: ${caller.arn} is not authorized to perform: ${action}`
  switch (serviceDescriptions[service].protocol) {
    case 'json':
      return new AwsError('AccessDeniedException', `${whom} on resource: ${resource} ${because}`)
    case 'restJson':
      return new AwsError('AccessDeniedException', `${whom} on resource: ${resource} ${because}`, 403)
    case 'query':
      return new AwsError('AccessDenied', `${whom} on resource: ${resource} ${because}`, 403)
    case 'ec2': {
      // Of what has no resource EC2 names none.
      const on = resource === '*' ? '' : ` on resource: ${resource}`
      const message = `You are not authorized to perform this operation. ${whom}${on} ${because}.`
      return new AwsError('UnauthorizedOperation', message, 403)
    }
  }
}
