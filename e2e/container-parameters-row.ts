/** How a parameter of a container definition is tried on a real container. */
import type {
  ContainerDefinition,
  RegisterTaskDefinitionCommandInput,
  TaskOverride,
} from '@aws-sdk/client-ecs'

export interface Row {
  /** The parameters that it is about. */
  readonly what: string
  readonly container?: Partial<ContainerDefinition>
  /** Containers beside it. */
  readonly others?: ReadonlyArray<Partial<ContainerDefinition>>
  readonly more?: Partial<RegisterTaskDefinitionCommandInput>
  readonly overrides?: TaskOverride
  /** Run by the shell inside. */
  readonly script?: string
  /** What it prints, line by line. */
  readonly prints?: readonly string[]
  /** Only Docker's inspect counts. */
  readonly mayFail?: true
  /** Of Docker's inspect, members of `Config` and `HostConfig`. */
  readonly config?: object
  readonly hostConfig?: object
}

export const mib = 2 ** 20
export const host = (name: string, sourcePath?: string) => ({
  name,
  host: sourcePath === undefined ? {} : { sourcePath },
})
export const mount = (sourceVolume: string, readOnly?: boolean) => ({
  sourceVolume,
  containerPath: `/${sourceVolume}`,
  ...(readOnly !== undefined && { readOnly }),
})
/** Runs once beside the row's container, which starts after it. */
export const before = (
  script: string,
  more: Partial<ContainerDefinition> = {},
): Partial<ContainerDefinition> => ({
  name: 'before',
  essential: false,
  command: ['sh', '-c', script],
  ...more,
})
export const after = { dependsOn: [{ containerName: 'before', condition: 'SUCCESS' as const }] }
export const stays = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.2; done']
