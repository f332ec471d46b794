import { encodeBatch } from '@berth/log-store/block.ts'
import type { LogStore, ReadAnswer } from '@berth/log-store/log-store.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { DataPlanes } from '#api/data-planes.ts'
import { planFilter, planGet, planPut, showFilter, showGet } from '#api/logs/events.ts'
import { forgetGroup, pageOfGroups, showGroup } from '#api/logs/group.ts'
import { planTail } from '#api/logs/live-tail.ts'
import { noSuchStream } from '#api/logs/resolve.ts'
import { groupOfStream, planDescribe, showStreams } from '#api/logs/stream.ts'
import type { LiveTail } from './logs-live-tail.ts'

/** CloudWatch Logs over a log store. `shown` is told of events that came in. */
export function logsPlane(store: LogStore, shown: LiveTail): DataPlanes['logs'] {
  return { ...containers(store), ...eventsOf(store, shown) }
}

type Logs = DataPlanes['logs']
type EventOperation = 'putLogEvents' | 'getLogEvents' | 'filterLogEvents' | 'startLiveTail'

function containers(store: LogStore): Omit<Logs, EventOperation> {
  return {
    async createLogStream(context, input) {
      const { storeId } = groupOfStream(context, input)
      if (!(await store.createStream(storeId, input.logStreamName ?? '', context.clock.now())))
        throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists')
      return {}
    },

    async deleteLogStream(context, input) {
      const { storeId } = groupOfStream(context, input)
      if (!(await store.deleteStream(storeId, input.logStreamName ?? ''))) throw noSuchStream()
      return {}
    },

    async deleteLogGroup(context, { logGroupName }) {
      const { storeId } = forgetGroup(context, logGroupName)
      // First the row: were the bytes gone first, a crash would leave a group that has lost its events.
      await context.store.durable()
      await store.deleteGroup(storeId)
      return {}
    },

    async describeLogGroups(context, input) {
      const { rows, nextToken } = pageOfGroups(context, input)
      const sizes = await Promise.all(rows.map(({ storeId }) => store.size(storeId)))
      return {
        logGroups: rows.map((group, index) => showGroup(group, sizes[index]?.bytes ?? 0)),
        ...(nextToken !== undefined && { nextToken }),
      }
    },

    async describeLogStreams(context, input) {
      const { group, query } = planDescribe(context, input)
      return showStreams(group, query, await store.listStreams(group.storeId, query))
    },
  }
}

function eventsOf(store: LogStore, shown: LiveTail): Pick<Logs, EventOperation> {
  /** Throws ResourceNotFoundException unless there are streams of these names. */
  const requireStreams = async (storeId: string, names: readonly string[]): Promise<void> => {
    const found = await store.findStreams(storeId, names)
    if (found.length < names.length) throw noSuchStream()
  }
  return {
    async putLogEvents(context, input) {
      const { group, events, answer } = planPut(context, input)
      const { logStreamName = '' } = input
      const now = context.clock.now()
      if (!(await store.append(group.storeId, logStreamName, encodeBatch(events, now)))) throw noSuchStream()
      shown.publish(group, logStreamName, events, now)
      return answer
    },

    async getLogEvents(context, input) {
      const get = planGet(context, input)
      await requireStreams(get.group.storeId, [input.logStreamName ?? ''])
      return showGet(get, await store.read(get.group.storeId, get.query))
    },

    async filterLogEvents(context, input) {
      const { group, query } = planFilter(context, input)
      if (input.logStreamNames) await requireStreams(group.storeId, [...new Set(input.logStreamNames)])
      const answer: ReadAnswer = await store.read(group.storeId, query)
      return showFilter(query, answer)
    },

    startLiveTail(context, input) {
      const query = planTail(context, input)
      return Promise.resolve({
        responseStream: shown.open(query, { ...input, requestId: context.requestId }),
      })
    },
  }
}
