import type { View } from './store.ts'

/** Whether nothing runs on the instance but tasks of DAEMON services and managed daemons, which leave it last. */
export function hasOnlyDaemons(view: View, containerInstanceArn: string): boolean {
  return view
    .by('task', 'containerInstance', containerInstanceArn)
    .every(
      ({ daemonArn, serviceArn = '' }) =>
        daemonArn !== undefined || view.find('service', serviceArn)?.schedulingStrategy === 'DAEMON',
    )
}
