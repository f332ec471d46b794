// What people ask of instances that there are: start, stop, reboot, terminate.
import type {
  InstanceStateChange,
  RebootInstancesCommandInput,
  StartInstancesCommandInput,
  StartInstancesCommandOutput,
  StopInstancesCommandInput,
  StopInstancesCommandOutput,
  TerminateInstancesCommandInput,
  TerminateInstancesCommandOutput,
} from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { type Instance, instanceState } from '#domain/instance.ts'
import { resolveInstances } from './instance.ts'
import { refuseDryRun } from './list.ts'
import { showState } from './show-instance.ts'

/** Puts what `ask` makes of each instance, and shows the states before and after. All or none. */
function change(
  { store, scope }: Context,
  ids: readonly string[] | undefined,
  ask: (row: Instance) => Instance,
): InstanceStateChange[] {
  if (ids === undefined || ids.length === 0)
    throw new AwsError('MissingParameter', 'The request must contain the parameter InstanceId')
  return store.update((tx) =>
    resolveInstances(tx, scope, ids).map((row) => {
      const asked = ask(row)
      if (asked !== row) tx.put('instance', asked)
      return { InstanceId: row.instanceId, PreviousState: showState(row), CurrentState: showState(asked) }
    }),
  )
}

const gmt = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} GMT`
const byUser = (code: string, now: number) => ({
  stateReason: { code, message: `${code}: User initiated shutdown` },
  stateTransitionReason: `User initiated (${gmt(now)})`,
})

export function terminateInstances(
  context: Context,
  input: TerminateInstancesCommandInput,
): Answer<TerminateInstancesCommandOutput> {
  refuseDryRun(input)
  const reason = byUser('Client.UserInitiatedShutdown', context.clock.now())
  return {
    TerminatingInstances: change(context, input.InstanceIds, (row) =>
      row.desiredState === 'terminated' ? row : { ...row, ...reason, desiredState: 'terminated' },
    ),
  }
}

export function stopInstances(
  context: Context,
  input: StopInstancesCommandInput,
): Answer<StopInstancesCommandOutput> {
  refuseDryRun(input)
  if (input.Hibernate === true)
    throw new AwsError('UnsupportedHibernationConfiguration', 'Instances of Berth cannot be hibernated.')
  const reason = byUser('Client.UserInitiatedShutdown', context.clock.now())
  return {
    StoppingInstances: change(context, input.InstanceIds, (row) => {
      const state = instanceState(row)
      if (state === 'stopped' || state === 'stopping') return row
      if (state !== 'running')
        throw new AwsError(
          'IncorrectInstanceState',
          `This instance '${row.instanceId}' is not in a state from which it can be stopped.`,
        )
      return { ...row, ...reason, desiredState: 'stopped' }
    }),
  }
}

export function startInstances(
  context: Context,
  input: StartInstancesCommandInput,
): Answer<StartInstancesCommandOutput> {
  refuseDryRun(input)
  return {
    StartingInstances: change(context, input.InstanceIds, (row) => {
      const state = instanceState(row)
      if (state === 'running' || state === 'pending') return row
      if (state !== 'stopped')
        throw new AwsError(
          'IncorrectInstanceState',
          `The instance '${row.instanceId}' is not in a state from which it can be started.`,
        )
      const { stateReason: _, ...rest } = row
      const launchTime = context.clock.now()
      return { ...rest, desiredState: 'running', boot: row.boot + 1, launchTime, stateTransitionReason: '' }
    }),
  }
}

export function rebootInstances(context: Context, input: RebootInstancesCommandInput): Record<string, never> {
  refuseDryRun(input)
  change(context, input.InstanceIds, (row) => {
    if (instanceState(row) !== 'running')
      throw new AwsError(
        'IncorrectInstanceState',
        `The instance '${row.instanceId}' is not in a state from which it can be rebooted.`,
      )
    return { ...row, boot: row.boot + 1 }
  })
  return {}
}
