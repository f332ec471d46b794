/** What the host's people are shown of the agent and its tasks. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-introspection.html */
import { containerPayload } from '#engine/task-plan.ts'
import { knownStatus } from '#engine/report.ts'
import type { ContainerRecord, TaskRecord } from '#engine/task-record.ts'
import { type Answer, type Asked, goTime, ok, type Route } from './answer.ts'
import { type MetadataSource, taskInterface } from './source.ts'

/** Docker's short form of a container's id. */
const shortIdLength = 12
const nothing = { Arn: '', KnownStatus: '', Family: '', Version: '', Containers: null }

export function introspectionRoutes(source: MetadataSource): readonly Route[] {
  return [
    { path: /^\/v1\/metadata\/?$/, answer: () => ok(agentMetadata(source)) },
    { path: /^\/v1\/tasks\/?$/, answer: (_, asked) => tasks(source, asked) },
    { path: /^\/license$/, answer: () => ({ status: 200, body: license, plain: true }) },
    // All else is answered with what there is.
    { path: /^/, answer: () => ok({ AvailableCommands: ['/v1/metadata', '/v1/tasks', '/license'] }) },
  ]
}

const license =
  'Berth is licensed under the Apache License 2.0: https://www.apache.org/licenses/LICENSE-2.0\n'

function agentMetadata({ cluster, agent, versionText }: MetadataSource): object {
  return {
    Cluster: cluster,
    ContainerInstanceArn: agent.identity().containerInstanceArn ?? null,
    Version: versionText,
  }
}

function tasks(source: MetadataSource, { url }: Asked): Answer {
  const arn = url.searchParams.get('taskarn')
  const dockerId = url.searchParams.get('dockerid')
  const records = source.agent.records()
  if (arn !== null && dockerId !== null) return { status: 400, body: nothing }
  if (arn === null && dockerId === null) return ok({ Tasks: records.map(introspectedTask) })
  const has = ({ containers }: TaskRecord): boolean =>
    containers.some(({ runtimeId }) =>
      dockerId !== null && dockerId.length <= shortIdLength
        ? dockerId !== '' && runtimeId?.startsWith(dockerId)
        : runtimeId === dockerId,
    )
  const found = records.filter((record) => (arn === null ? has(record) : record.task.arn === arn))
  if (found.length > 1) return { status: 400, body: nothing }
  const [only] = found
  return only ? ok(introspectedTask(only)) : { status: 404, body: nothing }
}

function introspectedTask(record: TaskRecord): object {
  const known = knownStatus(record)
  // A task that has ended without having been asked to is not said to be wanted.
  const desired = known === 'STOPPED' && record.desiredStatus !== 'STOPPED' ? undefined : record.desiredStatus
  return {
    Arn: record.task.arn,
    DesiredStatus: desired,
    KnownStatus: known,
    Family: record.task.family ?? '',
    Version: record.task.version ?? '',
    Containers: record.containers
      .filter(({ runtimeId }) => runtimeId !== undefined)
      .map((container) => introspectedContainer(record, container)),
  }
}

function introspectedContainer(record: TaskRecord, container: ContainerRecord): object {
  const { image, restartPolicy } = containerPayload(record, container.name)
  const eni = taskInterface(record)
  return {
    DockerId: container.runtimeId,
    DockerName: container.dockerName,
    Name: container.name,
    Image: image,
    ImageID: container.imageId ?? '',
    CreatedAt: goTime(container.createdAt),
    StartedAt: goTime(container.startedAt),
    ...(container.hostPorts.length > 0 && {
      Ports: container.hostPorts.map(({ containerPort, hostPort, protocol }) => ({
        ContainerPort: containerPort,
        Protocol: protocol,
        HostPort: eni ? containerPort : hostPort,
      })),
    }),
    ...(eni && {
      Networks: [
        {
          NetworkMode: 'awsvpc',
          IPv4Addresses: eni.ipv4Addresses?.map(({ privateAddress }) => privateAddress) ?? [],
        },
      ],
    }),
    ...(restartPolicy?.enabled && { RestartCount: container.restarts?.count ?? 0 }),
  }
}
