/** Writes docs/compatibility.md from the operation tables with `--write`; says whether it is up to date without. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { services } from '@berth/control-plane/api/services.ts'
import { type StoredOnly, storedOnly } from '@berth/control-plane/api/stored-only.ts'
import { type ServiceName, loadModel, serviceNames } from '@berth/wire/model.ts'

const file = fileURLToPath(new URL('../docs/compatibility.md', import.meta.url))
const titles: Readonly<Record<ServiceName, string>> = {
  ecs: 'Amazon ECS (`ecs`)',
  ecr: 'Amazon ECR (`ecr`)',
  ec2: 'Amazon EC2 (`ec2`)',
  sts: 'AWS STS (`sts`)',
}
/** Where a service has more operations than this, those Berth lacks are not listed. */
const listedMax = 200

const head = `# Compatibility

What Berth has of each AWS service. This page is written by \`npm run compatibility\` from the operation tables
(\`control-plane/api/*/operations.ts\`) and from \`control-plane/api/stored-only.ts\`; a test keeps it equal to them.

An operation that is not supported answers an error that says so (\`UnsupportedFeatureException\`; EC2:
\`UnsupportedOperation\`). Parameters that AWS's model does not know are dropped, as AWS does.
`

/** The page as the code has it now. */
export async function renderCompatibility(): Promise<string> {
  const sections = await Promise.all(serviceNames.map(renderService))
  return [head, ...sections, renderStoredOnly(storedOnly)].join('\n')
}

async function renderService(service: ServiceName): Promise<string> {
  const names = [...(await loadModel(service)).keys()].toSorted()
  const rows = services[service]
  const has = (name: string): boolean => rows[name] !== undefined && !('notImplemented' in rows[name])
  const supported = names.filter(has)
  const counted = names.length > listedMax
  const listed = counted ? supported : names
  return [
    `## ${titles[service]}`,
    '',
    `${supported.length} of ${names.length} operations${counted ? '; these are' : ''}:`,
    '',
    ...table(
      ['operation', 'supported'],
      listed.map((name) => [name, has(name) ? 'yes' : 'no']),
    ),
    '',
  ].join('\n')
}

function renderStoredOnly(rows: readonly StoredOnly[]): string {
  const lines = [
    '## Stored only',
    '',
    'Accepted, kept and shown again, but without an effect:',
    '',
    ...table(
      ['service', 'operation', 'parameter', 'note'],
      rows.map(({ service, operation, parameter, note }) => [service, operation, `\`${parameter}\``, note]),
    ),
  ]
  return `${lines.join('\n')}\n`
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  if (rows.length === 0) return ['(none)']
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
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
