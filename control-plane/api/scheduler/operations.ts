import type * as Scheduler from '@aws-sdk/client-scheduler'
import type { OperationTable } from '#api/operation-table.ts'
import {
  createScheduleGroup,
  deleteScheduleGroup,
  getScheduleGroup,
  listScheduleGroups,
  listTagsForResource,
  tagResource,
  untagResource,
} from './group.ts'
import { createSchedule, deleteSchedule, getSchedule, listSchedules, updateSchedule } from './schedule.ts'

/** Every operation of Amazon EventBridge Scheduler. */
export const operations: OperationTable<typeof Scheduler> = {
  CreateSchedule: createSchedule,
  CreateScheduleGroup: createScheduleGroup,
  DeleteSchedule: deleteSchedule,
  DeleteScheduleGroup: deleteScheduleGroup,
  GetSchedule: getSchedule,
  GetScheduleGroup: getScheduleGroup,
  ListScheduleGroups: listScheduleGroups,
  ListSchedules: listSchedules,
  ListTagsForResource: listTagsForResource,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateSchedule: updateSchedule,
}
