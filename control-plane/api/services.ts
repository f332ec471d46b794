import type { ServiceName } from '@berth/wire/model.ts'
import { operations as ec2 } from './ec2/operations.ts'
import { operations as ecr } from './ecr/operations.ts'
import { operations as ecs } from './ecs/operations.ts'
import { operations as events } from './events/operations.ts'
import { operations as iam } from './iam/operations.ts'
import { operations as logs } from './logs/operations.ts'
import type { OperationRow } from './operation.ts'
import { operations as scheduler } from './scheduler/operations.ts'
import { operations as secretsmanager } from './secretsmanager/operations.ts'
import { operations as ssm } from './ssm/operations.ts'
import { operations as sts } from './sts/operations.ts'

/** A row of any operation; its input is what wire read by that operation's model. */
export type AnyRow = OperationRow<never, object>
export type Services = Readonly<Record<ServiceName, Readonly<Record<string, AnyRow>>>>

/** Every service with its operations. An operation of a model without a row here is not implemented. */
export const services: Services = { ecs, ecr, ec2, iam, sts, events, logs, scheduler, secretsmanager, ssm }
