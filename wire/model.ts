import { NormalizedSchema } from '@smithy/core/schema'
import { httpRoute, type HttpRoute } from './rest.ts'
import { type StructShape, structOf, withTexts } from './shape.ts'

export interface OperationModel {
  readonly name: string
  readonly input: StructShape
  readonly output: StructShape
  /** The schema of the output, for the XML serializer. */
  readonly outputSchema: NormalizedSchema
  /** Method and path of an operation of a REST service. */
  readonly http?: HttpRoute | undefined
}

/** How an error of the model is told by a REST service. */
export interface ErrorModel {
  readonly httpStatus: number
  /** The member that holds its text: `message`, or `Message`. */
  readonly messageMember: string
}

export type ServiceModel = ReadonlyMap<string, OperationModel>

export type ProtocolName = 'json' | 'restJson' | 'ec2' | 'query'

export interface ServiceDescription {
  readonly protocol: ProtocolName
  /** What stands before the dot in `X-Amz-Target`. */
  readonly target?: string
  /** The `Version` of a Query request. */
  readonly version?: string
  readonly xmlNamespace?: string
  /** How large a request may be, where it is not `bodyBytesMax`. */
  readonly bodyBytesMax?: number
  /** Texts that clients of AWS send and the published model lacks, by operation. They are read like any other member. */
  readonly unpublished?: Readonly<Record<string, readonly string[]>>
  /** Loads the SDK's package: tens of megabytes, so only when the service is first asked. */
  readonly load: () => Promise<object>
}

/** The services by the name that stands in a signature's scope. */
export const serviceDescriptions = {
  ecs: {
    protocol: 'json',
    target: 'AmazonEC2ContainerServiceV20141113',
    // The agent's token, the same for every try of one start, so that a lost answer does not register it twice.
    unpublished: { RegisterContainerInstance: ['clientToken'] },
    load: () => import('@aws-sdk/client-ecs'),
  },
  ecr: {
    protocol: 'json',
    target: 'AmazonEC2ContainerRegistry_V20150921',
    // A part of an image layer, 20 MiB at most, in base64.
    bodyBytesMax: 32 * 1024 * 1024,
    load: () => import('@aws-sdk/client-ecr'),
  },
  ec2: {
    protocol: 'ec2',
    version: '2016-11-15',
    xmlNamespace: 'http://ec2.amazonaws.com/doc/2016-11-15/',
    load: () => import('@aws-sdk/client-ec2'),
  },
  secretsmanager: {
    protocol: 'json',
    target: 'secretsmanager',
    load: () => import('@aws-sdk/client-secrets-manager'),
  },
  ssm: {
    protocol: 'json',
    target: 'AmazonSSM',
    load: () => import('@aws-sdk/client-ssm'),
  },
  iam: {
    protocol: 'query',
    version: '2010-05-08',
    xmlNamespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    load: () => import('@aws-sdk/client-iam'),
  },
  sts: {
    protocol: 'query',
    version: '2011-06-15',
    xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    load: () => import('@aws-sdk/client-sts'),
  },
  events: {
    protocol: 'json',
    target: 'AWSEvents',
    load: () => import('@aws-sdk/client-eventbridge'),
  },
  logs: {
    protocol: 'json',
    target: 'Logs_20140328',
    load: () => import('@aws-sdk/client-cloudwatch-logs'),
  },
  scheduler: {
    protocol: 'restJson',
    load: () => import('@aws-sdk/client-scheduler'),
  },
} as const satisfies Record<string, ServiceDescription>

export type ServiceName = keyof typeof serviceDescriptions
export const serviceNames = Object.keys(serviceDescriptions) as ServiceName[]

type HttpTrait = readonly [method: string, uri: string, status: number]
type OperationSchema = readonly [
  9,
  string,
  string,
  { readonly http?: HttpTrait } | number,
  () => unknown,
  () => unknown,
]
type ErrorSchema = readonly [-3, string, string, { readonly httpError?: number } | number, readonly string[]]

const loaded = new Map<ServiceName, Promise<ServiceModel>>()

/** The model of a service, read from its SDK at the first call and kept. */
export function loadModel(service: ServiceName): Promise<ServiceModel> {
  let model = loaded.get(service)
  if (!model) {
    const description: ServiceDescription = serviceDescriptions[service]
    model = description.load().then((sdk) => readModel(sdk, description.unpublished))
    loaded.set(service, model)
  }
  return model
}

/** The operations among a package's exports. Their shapes are compiled when they are first asked for. */
function readModel(sdk: object, unpublished: ServiceDescription['unpublished'] = {}): ServiceModel {
  const operations = Object.values(sdk).filter(isOperation)
  return new Map(operations.map((schema) => [schema[2], lazyOperation(schema, unpublished[schema[2]])]))
}

function isOperation(value: unknown): value is OperationSchema {
  return Array.isArray(value) && value[0] === 9 && typeof value[4] === 'function'
}

function lazyOperation(
  [, , name, traits, input, output]: OperationSchema,
  unpublished: readonly string[] = [],
): OperationModel {
  const parts: { input?: StructShape; output?: StructShape; outputSchema?: NormalizedSchema } = {}
  const trait = typeof traits === 'object' ? traits.http : undefined
  return {
    name,
    http: trait && httpRoute(trait),
    get input() {
      return (parts.input ??= withTexts(structOf(NormalizedSchema.of(input as never)), unpublished))
    },
    get output() {
      return (parts.output ??= structOf(this.outputSchema))
    },
    get outputSchema() {
      return (parts.outputSchema ??= NormalizedSchema.of(output as never))
    },
  }
}

const errorsLoaded = new Map<ServiceName, Promise<ReadonlyMap<string, ErrorModel>>>()

/** The errors of a service's model by their names. */
export function loadErrors(service: ServiceName): Promise<ReadonlyMap<string, ErrorModel>> {
  let errors = errorsLoaded.get(service)
  if (!errors) {
    const description: ServiceDescription = serviceDescriptions[service]
    errors = description.load().then((sdk) => new Map(Object.values(sdk).filter(isError).map(errorModel)))
    errorsLoaded.set(service, errors)
  }
  return errors
}

function isError(value: unknown): value is ErrorSchema {
  return Array.isArray(value) && value[0] === -3 && Array.isArray(value[4])
}

function errorModel([, , name, traits, members]: ErrorSchema): [string, ErrorModel] {
  const httpStatus = (typeof traits === 'object' ? traits.httpError : undefined) ?? 400
  return [name, { httpStatus, messageMember: members.includes('Message') ? 'Message' : 'message' }]
}
