/** Writes docs/compatibility.md from the operation tables with `--write`; says whether it is up to date without. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ParameterException, covers } from '@berth/control-plane/api/parameter-exception.ts'
import { parameterExceptions } from '@berth/control-plane/api/parameters.ts'
import { services } from '@berth/control-plane/api/services.ts'
import { type ServiceName, type ServiceModel, loadModel, serviceNames } from '@berth/wire/model.ts'
import type { Shape, StructShape } from '@berth/wire/shape.ts'

const file = fileURLToPath(new URL('../docs/compatibility.md', import.meta.url))
const titles: Readonly<Record<ServiceName, string>> = {
  ecs: 'Amazon ECS (`ecs`)',
  ecr: 'Amazon ECR (`ecr`)',
  ec2: 'Amazon EC2 (`ec2`)',
  secretsmanager: 'AWS Secrets Manager (`secretsmanager`)',
  ssm: 'AWS Systems Manager (`ssm`): Parameter Store, sessions of ECS Exec',
  iam: 'AWS IAM (`iam`)',
  sts: 'AWS STS (`sts`)',
  events: 'Amazon EventBridge (`events`)',
  logs: 'Amazon CloudWatch Logs (`logs`)',
  scheduler: 'Amazon EventBridge Scheduler (`scheduler`)',
}
/** Where a service has more operations than this that Berth lacks, they are not listed. */
const listedMax = 100
/** EC2's inputs are shown, and held against the model, by their outermost members only. */
const depthMax = (service: ServiceName): number => (service === 'ec2' ? 1 : 20)

const head = `# Compatibility

What Berth has of each AWS service, by operation and parameter. This page is written by \`npm run compatibility\` from the
operation tables (\`control-plane/api/*/operations.ts\`) and \`control-plane/api/parameters.ts\`. Tests keep it equal to them, and
try every parameter but those of EC2 to see whether what is said here is so.

An operation that is not supported answers an error that says so (\`UnsupportedFeatureException\`; EC2:
\`UnsupportedOperation\`). Parameters that AWS's model does not know are dropped, as AWS does. A parameter of which nothing is
said below is **honoured**. The others are

- **stored**: kept and shown again, without an effect,
- **ignored**: taken and not kept,
- **partly** honoured, as the note says, or
- **rejected** with an error that says why.

What is said of a parameter holds for all that is in it. \`a[].b\` is the member \`b\` of each item of the list \`a\`. Requests of all
services but ECS are never throttled, those of ECS with \`berth up --throttle\`.
`

/** The page as the code has it now. */
export async function renderCompatibility(): Promise<string> {
  return [head, await renderContents(), ...(await Promise.all(serviceNames.map(renderService)))].join('\n')
}

async function renderContents(): Promise<string> {
  const rows = serviceNames.map(async (service) => {
    const { supported, names } = await operationsOf(service)
    const anchor = titles[service]
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-')
    return `| [${titles[service]}](#${anchor}) | ${supported.length} of ${names.length} |`
  })
  return ['| service | operations |', '| --- | --- |', ...(await Promise.all(rows)), ''].join('\n')
}

interface Known {
  readonly model: ServiceModel
  readonly names: readonly string[]
  readonly supported: readonly string[]
  readonly lacking: readonly string[]
}

async function operationsOf(service: ServiceName): Promise<Known> {
  const model = await loadModel(service)
  const names = [...model.keys()].toSorted()
  const rows = services[service]
  const has = (name: string): boolean => rows[name] !== undefined && !('notImplemented' in rows[name])
  return { model, names, supported: names.filter(has), lacking: names.filter((name) => !has(name)) }
}

async function renderService(service: ServiceName): Promise<string> {
  const { model, names, supported, lacking } = await operationsOf(service)
  const lacks = lacking.length > listedMax ? 'the others' : lacking.map((name) => `\`${name}\``).join(', ')
  return [
    `## ${titles[service]}`,
    '',
    `${supported.length} of ${names.length} operations.${lacking.length > 0 ? ` Not supported: ${lacks}.` : ''}`,
    '',
    ...supported.flatMap((name) => renderOperation(service, name, model)),
  ].join('\n')
}

function renderOperation(service: ServiceName, name: string, model: ServiceModel): string[] {
  const input = model.get(name)?.input
  const own = parameterExceptions
    .filter((row) => row.service === service && row.operation === name)
    .toSorted((one, other) => (one.parameter < other.parameter ? -1 : 1))
  const members = input ? listOf(input, own, depthMax(service)) : ''
  if (members === '' && own.length === 0) return [`**${name}** has no parameters.`, '']
  const but = own.length === 0 ? '' : ' but'
  return [
    `**${name}** honours ${own.length === 0 ? 'every parameter.' : `every parameter${but} ${own.length}:`}`,
    '',
    ...own.map(({ parameter, treatment, note }) => `- \`${parameter}\` ${treatment}: ${note}`),
    ...(own.length > 0 ? [''] : []),
    `<details><summary>honoured</summary>\`${members}\`</details>`,
    '',
  ]
}

/** The members that are honoured, those of structures in braces: `tags[]{key, value}`. */
function listOf(
  shape: StructShape,
  exceptions: readonly ParameterException[],
  depth: number,
  path = '',
  within: readonly string[] = [],
): string {
  if (within.includes(shape.name)) return '…'
  const listed = [...shape.members.values()].flatMap(({ name, shape: member }) => {
    const own = path === '' ? name : `${path}.${name}`
    if (exceptions.some((row) => row.treatment !== 'partly' && covers(row, own))) return []
    const [inner, brackets] = innermost(member)
    const items =
      inner && depth > 1
        ? listOf(inner, exceptions, depth - 1, `${own}${brackets}`, [...within, shape.name])
        : ''
    return [`${name}${brackets}${items === '' ? '' : `{${items}}`}`]
  })
  return listed.join(', ')
}

/** The structure in lists, if there is one, with a pair of brackets for each list. */
function innermost(shape: Shape, brackets = ''): [StructShape | undefined, string] {
  if (shape.kind === 'list') return innermost(shape.item, `${brackets}[]`)
  return [shape.kind === 'struct' ? shape : undefined, brackets]
}

/** The page as it stands in docs/; empty when it is not there. */
export function writtenCompatibility(): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

if (import.meta.main) {
  const text = await renderCompatibility()
  if (process.argv.includes('--write')) {
    writeFileSync(file, text)
  } else if (text !== writtenCompatibility()) {
    console.error('docs/compatibility.md is not what the code says; run: npm run compatibility')
    process.exitCode = 1
  }
}
