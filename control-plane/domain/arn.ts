/** Where a resource lives: every lookup by name happens inside one account and region. */
export interface Scope {
  readonly accountId: string
  readonly region: string
}

/** The key of a scope in indexes: `000000000000/us-east-1`. */
export function scopeKey({ accountId, region }: Scope): string {
  return `${accountId}/${region}`
}

export interface Arn extends Scope {
  readonly partition: string
  readonly service: string
  /** All after the account: `cluster/demo`, `task/demo/0123…`. */
  readonly resource: string
}

/** The ARN of a resource in a scope, in the long format. */
export function formatArn(scope: Scope, service: string, resource: string): string {
  return `arn:aws:${service}:${scope.region}:${scope.accountId}:${resource}`
}

/** The parts of an ARN; undefined when the text is not one. */
export function parseArn(text: string): Arn | undefined {
  const [arn, partition, service, region, accountId, ...resource] = text.split(':')
  if (arn !== 'arn' || !partition || !service || region === undefined || accountId === undefined)
    return undefined
  if (resource.length === 0) return undefined
  return { partition, service, region, accountId, resource: resource.join(':') }
}

/** The last part of an ARN's resource: the name or id by which people know it. */
export function arnName(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}
