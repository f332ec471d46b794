/** Daemon task definitions: what AWS shows of them, and the ordinary task definition that tasks are made from. */
import type {
  ContainerDefinition,
  DaemonContainerDefinition,
  DaemonIpcMode,
  DaemonPidMode,
  DaemonVolume,
  RegisterDaemonTaskDefinitionRequest,
} from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'
import { draftOf, type TaskDefinitionDraft } from './task-definition-draft.ts'

/** One revision of a family of daemon task definitions. */
export interface DaemonTaskDefinition extends Scope {
  readonly daemonTaskDefinitionArn: string
  readonly family: string
  readonly revision: number
  readonly status: 'ACTIVE' | 'DELETE_IN_PROGRESS' | 'DELETED'
  readonly containerDefinitions: readonly DaemonContainerDefinition[]
  readonly volumes: readonly DaemonVolume[]
  readonly taskRoleArn?: string
  readonly executionRoleArn?: string
  readonly cpu?: string
  readonly memory?: string
  readonly pidMode?: DaemonPidMode
  readonly ipcMode?: DaemonIpcMode
  readonly registeredAt: number
  readonly registeredBy: string
  readonly deleteRequestedAt?: number
  /** When nothing referred to it any more and it became DELETED; an hour later it is forgotten. */
  readonly deletedAt?: number
}

/** Remembers the highest revision a family ever had, so that no number is used twice. */
export interface DaemonTaskDefinitionFamily extends Scope {
  readonly family: string
  readonly lastRevision: number
}

/** What of a request is kept and shown again, AWS's defaults filled in. */
export type DaemonTaskDefinitionDraft = Omit<
  DaemonTaskDefinition,
  | keyof Scope
  | 'daemonTaskDefinitionArn'
  | 'revision'
  | 'status'
  | 'registeredAt'
  | 'registeredBy'
  | 'deleteRequestedAt'
  | 'deletedAt'
>

/**
 * The request as AWS shows it again, and as the task definition that it amounts to: its rules hold for daemons too, and
 * agents know no other kind. AWS gives daemons a bridge of their own; here they share the instance's.
 */
export function daemonDraftOf(input: RegisterDaemonTaskDefinitionRequest): {
  readonly shown: DaemonTaskDefinitionDraft
  readonly plain: TaskDefinitionDraft
} {
  const { family, containerDefinitions = [], volumes = [], tags: _, pidMode, ipcMode, ...sizes } = input
  const plain = draftOf({
    ...sizes,
    family,
    containerDefinitions: containerDefinitions.map((container): ContainerDefinition => container),
    volumes: volumes.map(({ name, host }) => ({ name, host })),
    networkMode: 'bridge',
    ...(pidMode === 'shared' && { pidMode: 'host' as const }),
    ...(ipcMode === 'shared' && { ipcMode: 'host' as const }),
  })
  const { taskRoleArn, executionRoleArn, cpu, memory } = plain
  return {
    plain,
    shown: {
      family: plain.family,
      containerDefinitions: plain.containerDefinitions.map(shownContainer),
      volumes,
      ...(taskRoleArn !== undefined && { taskRoleArn }),
      ...(executionRoleArn !== undefined && { executionRoleArn }),
      ...(cpu !== undefined && { cpu }),
      ...(memory !== undefined && { memory }),
      ...(pidMode !== undefined && { pidMode }),
      ...(ipcMode !== undefined && { ipcMode }),
    },
  }
}

/** Without the members that the containers of daemons do not have. */
function shownContainer({
  portMappings: _ports,
  volumesFrom: _volumes,
  systemControls = [],
  secrets = [],
  ...container
}: ContainerDefinition): DaemonContainerDefinition {
  return {
    ...container,
    image: container.image,
    secrets,
    ...(systemControls.length > 0 && { systemControls }),
  } as DaemonContainerDefinition
}
