export interface ResourceTag {
  readonly key: string
  readonly value: string
}

/** The tags of one resource, by its ARN (EC2: by `arn:aws:ec2:…:instance/i-…`). */
export interface ResourceTags {
  readonly resourceArn: string
  readonly tags: readonly ResourceTag[]
}

/** An account setting that somebody chose, for a principal or as the account's default. */
export interface AccountSetting {
  readonly scope: string
  /** An ARN, or `default` for the account. */
  readonly principalArn: string
  readonly name: string
  readonly value: string
}
