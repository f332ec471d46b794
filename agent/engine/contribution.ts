/** What one resource of a task adds to the container Docker is asked to create; laid over what the definition says. */
export interface Contribution {
  /** Variables; those of the task definition's own `environment` win, as they do on ECS. */
  readonly environment?: Readonly<Record<string, string>>
  /** Variables that win over all others, such as secrets. */
  readonly environmentOver?: Readonly<Record<string, string>>
  /** Bind mounts, `source:destination[:ro]`, beside those of the task definition. */
  readonly binds?: readonly string[]
  /** Containers that this one finds by a name, `docker-name:alias`, beside those of the task definition. */
  readonly links?: readonly string[]
  /** The log driver, instead of the one the task definition names. */
  readonly logConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> }
  /** Options of the container's log driver. */
  readonly logOptions?: Readonly<Record<string, string>>
  /** Members of Docker's `Config` and `HostConfig`; objects are merged member by member. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly hostConfig?: Readonly<Record<string, unknown>>
}

/** By container name; `*` stands for every container of the task. */
export type Contributions = Readonly<Record<string, Contribution>>

/** What concerns one container, in the order it was given. */
export function contributionsTo(name: string, all: readonly Contributions[]): readonly Contribution[] {
  return all.flatMap((contributions) =>
    [contributions['*'], contributions[name]].filter((one) => one !== undefined),
  )
}
