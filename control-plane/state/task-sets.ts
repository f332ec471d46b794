import type { TaskSet } from '#domain/task-set.ts'
import type { Transaction } from './store.ts'

/** Removes a task set and its tags. */
export function forgetTaskSet(tx: Transaction, { taskSetArn }: Pick<TaskSet, 'taskSetArn'>): void {
  tx.delete('taskSet', taskSetArn)
  tx.delete('resourceTags', taskSetArn)
}
