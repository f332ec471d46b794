/** What of daemons is forgotten, and when daemon task definitions are deleted. */
import type { DaemonDeployment } from '#domain/daemon.ts'
import type { Transaction, View } from './store.ts'

/** Forgets a deployment that is over, and its revision with it when nothing else names that. */
export function forgetDaemonDeployment(tx: Transaction, row: DaemonDeployment): void {
  const { daemonArn, daemonDeploymentArn, targetRevisionArn } = row
  // What a daemon shows as its most recent deployment stays for as long as the daemon.
  if (tx.find('daemon', daemonArn)?.deploymentArn === daemonDeploymentArn) return
  tx.delete('daemonDeployment', daemonDeploymentArn)
  if (targetRevisionArn !== undefined && !isNamed(tx, daemonArn, targetRevisionArn))
    tx.delete('daemonRevision', targetRevisionArn)
}

function isNamed(view: View, daemonArn: string, revisionArn: string): boolean {
  const daemon = view.find('daemon', daemonArn)
  return (
    daemon?.daemonRevisionArn === revisionArn ||
    daemon?.stableRevisionArn === revisionArn ||
    view.by('task', 'daemon', daemonArn).some(({ daemonRevisionArn }) => daemonRevisionArn === revisionArn) ||
    view
      .by('daemonDeployment', 'daemon', daemonArn)
      .some(
        ({ targetRevisionArn, sourceRevisionArns }) =>
          targetRevisionArn === revisionArn || sourceRevisionArns.includes(revisionArn),
      )
  )
}

/** Daemon task definitions on their way out are DELETED once no daemon and no task needs them. */
export function settleDaemonTaskDefinitions(tx: Transaction, now: number): void {
  for (const row of tx.by('daemonTaskDefinition', 'deleting', 'all')) {
    const { daemonTaskDefinitionArn: arn } = row
    const isUsed = tx.by('daemonRevision', 'taskDefinition', arn).some(({ daemonArn, daemonRevisionArn }) => {
      const daemon = tx.find('daemon', daemonArn)
      return (
        daemon?.daemonRevisionArn === daemonRevisionArn || daemon?.stableRevisionArn === daemonRevisionArn
      )
    })
    if (isUsed || tx.count('task', 'taskDefinition', arn) > 0) continue
    tx.put('daemonTaskDefinition', { ...row, status: 'DELETED', deletedAt: now })
  }
}

/** A DELETED one, with the task definition that stood for it and its tags. */
export function forgetDaemonTaskDefinition(tx: Transaction, arn: string): void {
  tx.delete('daemonTaskDefinition', arn)
  tx.delete('taskDefinition', arn)
  tx.delete('resourceTags', arn)
}
