import type { RunTaskRequest } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import type { Scope } from '#domain/arn.ts'
import type { RunOutcome } from '#domain/schedule/run-outcome.ts'
import type { Transaction } from '#state/store.ts'
import { startTasks } from './run-task.ts'

/** RunTask for the engine that runs schedules: in its transaction, as the role of the target, and without throwing. */
export function scheduledRuns(
  base: Omit<Context, 'caller' | 'scope' | 'requestId'>,
): (tx: Transaction, scope: Scope, roleArn: string, request: RunTaskRequest) => RunOutcome {
  return (tx, scope, roleArn, request) => {
    const caller = { accountId: scope.accountId, arn: roleArn, userId: roleArn }
    try {
      const { tasks, failures } = startTasks(
        tx,
        { ...base, scope, caller, requestId: base.ids.uuid() },
        request,
      )
      return { taskArns: tasks.map(({ taskArn }) => taskArn), failures }
    } catch (error) {
      if (error instanceof AwsError) return { refused: `${error.code}: ${error.message}` }
      throw error
    }
  }
}
