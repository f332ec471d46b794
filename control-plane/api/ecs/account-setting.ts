import type {
  DeleteAccountSettingRequest,
  DeleteAccountSettingResponse,
  ListAccountSettingsRequest,
  ListAccountSettingsResponse,
  PutAccountSettingDefaultRequest,
  PutAccountSettingDefaultResponse,
  PutAccountSettingRequest,
  PutAccountSettingResponse,
  Setting,
  SettingName,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Caller, Context, Operation } from '#api/operation.ts'
import { parseArn, type Scope, scopeKey } from '#domain/arn.ts'
import type { AccountSetting } from '#domain/tags.ts'
import type { View } from '#state/store.ts'
import { page } from '#api/page.ts'

interface Rule {
  /** What holds when nobody chose. */
  readonly value: string
  readonly allowed: readonly string[]
  /** AWS's own choice, which no caller can change. */
  readonly awsManaged?: true
}

const onOrOff = ['enabled', 'disabled']
/** Kept for scripts of before 2021 that choose for a principal: ARNs are in the long format whatever is chosen. */
const longArns: Rule = { value: 'enabled', allowed: onOrOff }

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html */
const settings: Readonly<Record<SettingName, Rule>> = {
  serviceLongArnFormat: longArns,
  taskLongArnFormat: longArns,
  containerInstanceLongArnFormat: longArns,
  awsvpcTrunking: { value: 'disabled', allowed: onOrOff },
  containerInsights: { value: 'disabled', allowed: ['enabled', 'disabled', 'enhanced'] },
  fargateFIPSMode: { value: 'disabled', allowed: onOrOff },
  tagResourceAuthorization: { value: 'on', allowed: ['on', 'off'] },
  fargateTaskRetirementWaitPeriod: { value: '7', allowed: ['0', '7', '14'] },
  guardDutyActivate: { value: 'off', allowed: ['on', 'off'], awsManaged: true },
  defaultLogDriverMode: { value: 'non-blocking', allowed: ['blocking', 'non-blocking'] },
  fargateEventWindows: { value: 'disabled', allowed: onOrOff },
}

/** The row of an account's default, which is also what its root user chooses for itself. */
const accountDefault = 'default'

/** The value that holds for the caller. */
export function effectiveSetting(context: Context, name: SettingName): string {
  return effective(context.store, context, principalOf(context, undefined), name).value ?? ''
}

/** The value that holds in an account for whom nobody chose another. */
export function accountSetting(view: View, scope: Scope, name: SettingName): string {
  const chosen = view.find('accountSetting', `${scopeKey(scope)} ${accountDefault} ${name}`)
  return chosen?.value ?? settings[name].value
}

export const putAccountSetting: Operation<PutAccountSettingRequest, PutAccountSettingResponse> = {
  resources: () => ['*'],
  run: (context, { name, value, principalArn }) =>
    put(context, principalOf(context, principalArn), name, value),
}

export const putAccountSettingDefault: Operation<
  PutAccountSettingDefaultRequest,
  PutAccountSettingDefaultResponse
> = {
  resources: () => ['*'],
  run: (context, { name, value }) => {
    // AWS's text, which Terraform looks for when it is to take such a setting back.
    if (name !== undefined && settings[name] === longArns && value === 'disabled')
      throw new AwsError('InvalidParameterException', 'You can no longer disable Long Arn settings')
    return put(context, accountDefault, name, value)
  },
}

export const deleteAccountSetting: Operation<DeleteAccountSettingRequest, DeleteAccountSettingResponse> = {
  resources: () => ['*'],
  run: (context, { name: said, principalArn }) => {
    const name = knownName(said)
    const principal = principalOf(context, principalArn)
    return context.store.update((tx) => {
      const key = keyOf(context, principal, name)
      const present = tx.find('accountSetting', key)
      tx.delete('accountSetting', key)
      return { setting: show(context, principal, name, present?.value ?? settings[name].value) }
    })
  },
}

export const listAccountSettings: Operation<ListAccountSettingsRequest, ListAccountSettingsResponse> = {
  resources: () => ['*'],
  run: (context, { name, value, principalArn, effectiveSettings = false, maxResults, nextToken }) => {
    const wanted = name === undefined ? undefined : knownName(name)
    const principal = principalOf(context, principalArn)
    const names = (Object.keys(settings) as SettingName[]).filter((each) => !wanted || each === wanted)
    const found = effectiveSettings
      ? names.map((each) => effective(context.store, context, principal, each))
      : names.flatMap((each) => {
          const row = context.store.find('accountSetting', keyOf(context, principal, each))
          return row ? [show(context, principal, each, row.value)] : []
        })
    const parameters = { operation: 'ListAccountSettings', name, value, principalArn, effectiveSettings }
    const { rows, ...rest } = page(
      found.filter((setting) => value === undefined || setting.value === value),
      { context, maxResults, nextToken, limit: 10, default: 10, parameters },
      (setting) => setting.name ?? '',
    )
    return { settings: [...rows], ...rest }
  },
}

function put(
  context: Context,
  principalArn: string,
  said: SettingName | undefined,
  value = '',
): { setting: Setting } {
  const name = knownName(said)
  const { allowed, awsManaged } = settings[name]
  if (awsManaged)
    throw new AwsError(
      'InvalidParameterException',
      `The setting ${name} is managed by AWS and cannot be changed.`,
    )
  // AWS says no more than this: https://github.com/aws/aws-cli/issues/3785
  if (!allowed.includes(value)) throw new AwsError('InvalidParameterException', "Invalid setting 'value'")
  return context.store.update((tx) => {
    const row: AccountSetting = { scope: scopeKey(context.scope), principalArn, name, value }
    tx.put('accountSetting', row)
    return { setting: show(context, principalArn, name, value) }
  })
}

function effective(view: View, context: Context, principal: string, name: SettingName): Setting {
  const chosen =
    view.find('accountSetting', keyOf(context, principal, name)) ??
    view.find('accountSetting', keyOf(context, accountDefault, name))
  return show(context, principal, name, chosen?.value ?? settings[name].value)
}

/** The names that AWS's refusal lists: not all there are now, and some that its model does not have. */
const namesSaid =
  'serviceLongArnFormat,taskLongArnFormat,containerInstanceLongArnFormat,containerLongArnFormat,awsvpcTrunking,containerInsights,dualStackIPv6'

function knownName(name: string | undefined): SettingName {
  if (name === undefined || !Object.hasOwn(settings, name))
    throw new AwsError('InvalidParameterException', `${name ?? 'name'} should be one of [${namesSaid}]`)
  return name as SettingName
}

/**
 * The principal whose settings are meant: the caller's own, unless the root user names another. What a session of a role
 * sets is set for the role; federated users have the settings of the account.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutAccountSetting.html
 */
function principalOf({ caller, scope }: Context, principalArn: string | undefined): string {
  const root = rootArn(scope.accountId)
  const own = ownPrincipal(caller, root)
  const principal = principalArn ?? own
  if (principal !== own && principal !== root && !isPrincipal(principal, scope.accountId))
    throw new AwsError('InvalidParameterException', "Invalid setting 'principalArn'")
  if (own !== root && principal !== own)
    throw new AwsError(
      'AccessDeniedException',
      'You must be the root user, or the principal, to use principalArn.',
    )
  return principal === root ? accountDefault : principal
}

function ownPrincipal({ arn }: Caller, root: string): string {
  const [kind = '', name = ''] = parseArn(arn)?.resource.split('/') ?? []
  if (kind === 'assumed-role') return root.replace(/root$/, `role/${name}`)
  return kind === 'federated-user' ? root : arn
}

function isPrincipal(principalArn: string, accountId: string): boolean {
  const arn = parseArn(principalArn)
  return arn?.service === 'iam' && arn.accountId === accountId && /^(?:user|role)\/.+/.test(arn.resource)
}

function keyOf({ scope }: Context, principal: string, name: SettingName): string {
  return `${scopeKey(scope)} ${principal} ${name}`
}

function show({ scope }: Context, principal: string, name: SettingName, value: string): Setting {
  return {
    name,
    value,
    principalArn: principal === accountDefault ? rootArn(scope.accountId) : principal,
    type: settings[name].awsManaged ? 'aws_managed' : 'user',
  }
}

function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`
}
