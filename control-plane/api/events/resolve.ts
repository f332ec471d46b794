/** Names and ARNs of EventBridge turned into rows, or into its errors. */
import { AwsError } from '@berth/wire/error.ts'
import type { Constraints } from '#api/constraints.ts'
import { formatArn, type Scope } from '#domain/arn.ts'
import type { Rule } from '#domain/schedule/rule.ts'
import type { View } from '#state/store.ts'

interface Scoped {
  readonly scope: Scope
}

export const ruleArnOf = ({ scope }: Scoped, name = ''): string => formatArn(scope, 'events', `rule/${name}`)

export function constrainName(check: Constraints, path: string, name: string | undefined): void {
  check.text(path, name, { max: 64, pattern: /^[.\-_A-Za-z0-9]+$/, shown: '[\\.\\-_A-Za-z0-9]+' })
}

export function constrainBus(check: Constraints, name: string | undefined): void {
  check.text('eventBusName', name, {
    max: 1600,
    pattern: /^(?:arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:\d{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/,
    shown: '(arn:aws[\\w-]*:events:[a-z]+-[a-z]+-[\\w-]+:[0-9]{12}:event-bus\\/)?[/\\.\\-_A-Za-z0-9]+',
  })
}

/** Whether the default event bus is meant, which is the one there is. */
export function isDefaultBus({ scope }: Scoped, name = 'default'): boolean {
  return name === 'default' || name === formatArn(scope, 'events', 'event-bus/default')
}

/** Throws ResourceNotFoundException for any other event bus. */
export function requireDefaultBus(context: Scoped, name: string | undefined): void {
  if (isDefaultBus(context, name)) return
  throw new AwsError('ResourceNotFoundException', `Event bus ${arnlessBus(name)} does not exist.`)
}

const arnlessBus = (name = ''): string => name.slice(name.lastIndexOf('/') + 1)

/** Throws ResourceNotFoundException. */
export function resolveRule(view: View, context: Scoped, name = ''): Rule {
  const rule = view.find('rule', ruleArnOf(context, name))
  if (rule) return rule
  throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`)
}
