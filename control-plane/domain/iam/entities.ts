/** Users, groups, roles, policies and instance profiles: IAM is global, so a row knows its account and no region. */

export interface IamTag {
  readonly key: string
  readonly value: string
}

interface InlinePolicy {
  readonly policyName: string
  /** The document as it was given. */
  readonly document: string
}

interface Entity {
  readonly accountId: string
  readonly path: string
  readonly arn: string
  readonly createdAt: number
}

/** What policies can be put into and attached to. */
export interface PolicyHolder extends Entity {
  readonly inlinePolicies: readonly InlinePolicy[]
  readonly attachedPolicyArns: readonly string[]
}

export interface IamRole extends PolicyHolder {
  readonly roleName: string
  readonly roleId: string
  /** Who may assume it, as it was given. */
  readonly trustPolicy: string
  readonly description?: string
  readonly maxSessionSeconds: number
  readonly permissionsBoundary?: string
  readonly tags: readonly IamTag[]
}

export interface IamUser extends PolicyHolder {
  readonly userName: string
  readonly userId: string
  readonly groupNames: readonly string[]
  readonly permissionsBoundary?: string
  readonly tags: readonly IamTag[]
}

export interface IamGroup extends PolicyHolder {
  readonly groupName: string
  readonly groupId: string
}

interface PolicyVersion {
  /** `v1`. */
  readonly versionId: string
  readonly document: string
  readonly createdAt: number
}

export interface IamPolicy extends Entity {
  readonly policyName: string
  readonly policyId: string
  readonly description?: string
  readonly updatedAt: number
  readonly defaultVersionId: string
  /** The oldest first; numbers are not used again. */
  readonly versions: readonly PolicyVersion[]
  readonly versionsMade: number
  readonly tags: readonly IamTag[]
}

export interface InstanceProfile extends Entity {
  readonly instanceProfileName: string
  readonly instanceProfileId: string
  readonly roleName?: string
  readonly tags: readonly IamTag[]
}

/** The key of what has a name in an account: names that differ in their case only are the same. */
export function iamKey(accountId: string, name: string): string {
  return `${accountId}/${name.toLowerCase()}`
}

/** `arn:aws:iam::000000000000:role/service-role/web`: what a name and a path make of a kind. */
export function iamArn(accountId: string, kind: string, path: string, name: string): string {
  return `arn:aws:iam::${accountId}:${kind}${path}${name}`
}

/** The account and the name in the ARN of a role, its path left aside; undefined when the text is no such ARN. */
export function parseRoleArn(
  arn: string,
): { readonly accountId: string; readonly roleName: string } | undefined {
  const match = /^arn:aws[\w-]*:iam::(\d{12}):role\/(?:[\u0021-\u007e]+\/)?([\w+=,.@-]{1,64})$/.exec(arn)
  return match?.[1] && match[2] ? { accountId: match[1], roleName: match[2] } : undefined
}
