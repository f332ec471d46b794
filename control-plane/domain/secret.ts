/** Secrets of Secrets Manager: their rows, and the rules of versions and staging labels. */
import { parseArn, type Scope } from './arn.ts'

export interface Secret extends Scope {
  /** Ends in a hyphen and six random characters, so that a secret made anew under an old name has another ARN. */
  readonly secretArn: string
  readonly name: string
  readonly description?: string
  /** As it was given; values are sealed with the installation's root key whatever it says. */
  readonly kmsKeyId?: string
  readonly resourcePolicy?: string
  readonly createdAt: number
  readonly changedAt: number
  /** The day, in UTC, on which its value was last asked for. */
  readonly accessedAt?: number
  /** When DeleteSecret was called; nothing but its description can be had from then on. */
  readonly deletedAt?: number
  /** When it is forgotten. */
  readonly deleteAfter?: number
}

export interface SecretVersion {
  readonly secretArn: string
  readonly versionId: string
  /** Empty for one that is deprecated: it is forgotten when there are too many. */
  readonly stages: readonly string[]
  /** The value, sealed for its `versionKey`; base64 within where it is binary. */
  readonly sealed: string
  readonly binary?: true
  readonly kmsKeyId?: string
  readonly createdAt: number
  readonly accessedAt?: number
}

/** The row's key, to which its sealed value is bound too: it cannot be moved to another secret or version. */
export const versionKey = ({
  secretArn,
  versionId,
}: Pick<SecretVersion, 'secretArn' | 'versionId'>): string => `${secretArn} ${versionId}`

export const secretArnSuffixLength = 6

/** The name a secret's ARN was made from; for a partial ARN, all there is. */
export function secretNameOf(secretId: string): {
  readonly name: string
  readonly scope?: Scope
  readonly arn?: string
} {
  const arn = parseArn(secretId)
  if (arn?.service !== 'secretsmanager' || !arn.resource.startsWith('secret:')) return { name: secretId }
  const { accountId, region } = arn
  return { name: arn.resource.slice('secret:'.length), scope: { accountId, region }, arn: secretId }
}

/**
 * The versions with the labels moved to the version `to`. Where AWSCURRENT leaves a version, that version becomes
 * AWSPREVIOUS. Only versions that changed are new objects.
 */
export function moveStages(
  versions: readonly SecretVersion[],
  stages: readonly string[],
  to: string,
): readonly SecretVersion[] {
  const current = versions.find((version) => version.stages.includes('AWSCURRENT'))
  const leaves = stages.includes('AWSCURRENT') && current && current.versionId !== to ? current : undefined
  return versions.map((version) => {
    const taken = new Set(version.versionId === to ? [] : stages)
    if (leaves) taken.add('AWSPREVIOUS')
    const kept = version.stages.filter((stage) => !taken.has(stage))
    const given = [
      ...(version.versionId === to ? stages : []),
      ...(version === leaves ? ['AWSPREVIOUS'] : []),
    ].filter((stage) => !kept.includes(stage))
    const same = given.length === 0 && kept.length === version.stages.length
    return same ? version : { ...version, stages: [...given, ...kept] }
  })
}

/** The most versions a secret keeps: deprecated ones beyond go, the oldest first. */
const secretVersionsMax = 100

/** Versions without labels that are too many. */
export function surplusVersions(versions: readonly SecretVersion[]): readonly SecretVersion[] {
  const surplus = versions.length - secretVersionsMax
  if (surplus <= 0) return []
  return versions
    .filter(({ stages }) => stages.length === 0)
    .toSorted((one, other) => one.createdAt - other.createdAt)
    .slice(0, surplus)
}
