/** References to daemons and daemon task definitions turned into rows, or into AWS's error. */
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { arnName, formatArn, parseArn, type Scope } from '#domain/arn.ts'
import type { DaemonTaskDefinition } from '#domain/daemon-task-definition.ts'
import type { Daemon } from '#domain/daemon.ts'
import type { View } from '#state/store.ts'
import { familyKey } from '#state/tables.ts'
import { isIn, requireKind } from '#api/ecs/resolve.ts'

type Scoped = Pick<Context, 'scope'>

/**
 * The daemon of any status. Throws DaemonNotFoundException, and InvalidParameterException for what is not the ARN of a
 * daemon. No source has the texts: they are like those of services.
 */
export function resolveDaemon(view: View, { scope }: Scoped, ref: string): Daemon {
  requireKind(ref, ['daemon'])
  const found = view.find('daemon', ref)
  if (!found || !isIn(scope, found)) throw new AwsError('DaemonNotFoundException', 'Daemon not found.')
  return found
}

/** The daemon, to be changed. Throws DaemonNotActiveException too. */
export function resolveActiveDaemon(view: View, context: Scoped, ref: string): Daemon {
  const found = resolveDaemon(view, context, ref)
  if (found.status !== 'ACTIVE') throw new AwsError('DaemonNotActiveException', 'Daemon was not ACTIVE.')
  return found
}

/**
 * The revision that `FAMILY:REVISION` or an ARN means, of any status; for a family alone its latest ACTIVE one. Throws
 * InvalidParameterException for a revision that is not a number and for the ARN of another thing.
 */
export function findDaemonTaskDefinition(
  view: View,
  { scope }: Scoped,
  ref: string,
): DaemonTaskDefinition | undefined {
  const arn = parseArn(ref)
  if (arn) requireKind(ref, ['daemon-task-definition'])
  if (arn && !isIn(scope, arn)) return undefined
  const [family = '', revision] = (arn ? arnName(ref) : ref).split(':')
  if (revision === undefined)
    return view
      .by('daemonTaskDefinition', 'family', familyKey({ ...scope, family }))
      .filter(({ status }) => status === 'ACTIVE')
      .reduce<DaemonTaskDefinition | undefined>(
        (latest, row) => (latest && latest.revision > row.revision ? latest : row),
        undefined,
      )
  if (!/^\d+$/.test(revision))
    throw new AwsError('InvalidParameterException', `Invalid revision number. Number: ${revision}`)
  return view.find('daemonTaskDefinition', daemonTaskDefinitionArn(scope, family, Number(revision)))
}

/** The same of what must be there. Throws ClientException. */
export function resolveDaemonTaskDefinition(view: View, context: Scoped, ref: string): DaemonTaskDefinition {
  const found = findDaemonTaskDefinition(view, context, ref)
  if (!found) throw new AwsError('ClientException', 'Daemon task definition not found.')
  return found
}

export function daemonTaskDefinitionArn(scope: Scope, family: string, revision: number | '*'): string {
  return formatArn(scope, 'ecs', `daemon-task-definition/${family}:${revision}`)
}
