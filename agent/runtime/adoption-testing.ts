/** Containers as the official agent leaves them, for tests. */
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import type { FakeHost } from './fake-host.ts'

/** Makes and starts a container of a task under a name, labels and a metadata address of the official agent's making. */
export async function officialContainer(
  { runtime }: FakeHost,
  task: PayloadTask,
  container: string,
  more: { readonly ports?: Readonly<Record<number, number>>; readonly volume?: string } = {},
): Promise<string> {
  await runtime.pull('web:1')
  const id = await runtime.create(`official-${task.arn.split('/').at(-1)}-${container}`, {
    Image: 'web:1',
    Env: [`ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/official-${container}`],
    Labels: {
      'com.amazonaws.ecs.task-arn': task.arn,
      'com.amazonaws.ecs.container-name': container,
    },
    HostConfig: {},
  })
  await runtime.start(id)
  const made = runtime.find(id)
  if (made)
    runtime.containers.set(id, {
      ...made,
      environment: made.body.Env,
      publishedPorts: Object.entries(more.ports ?? {}).map(([containerPort, hostPort]) => ({
        containerPort: Number(containerPort),
        hostPort,
        protocol: 'tcp',
      })),
      ...(more.volume !== undefined && { mounts: [{ name: more.volume, source: '', destination: '/data' }] }),
    })
  return id
}
