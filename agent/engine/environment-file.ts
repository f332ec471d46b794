/** Environment files: where they are, what their lines say, and what becomes of them: pure. */
import type { Contribution, Contributions } from './contribution.ts'
import type { TaskRecord } from './task-record.ts'

export interface ObjectPlace {
  readonly bucket: string
  readonly key: string
}

/** Reads `arn:aws:s3:::BUCKET/KEY`; undefined when it is not one. */
export function objectPlace(arn: string): ObjectPlace | undefined {
  const [, bucket, key] = /^arn:[\w-]+:s3:::([^/]+)\/(.+)$/.exec(arn) ?? []
  return bucket === undefined || key === undefined ? undefined : { bucket, key }
}

/** The files of all containers of the task, each once. */
export function neededFiles({ task }: TaskRecord): readonly string[] {
  return [
    ...new Set(
      (task.containers ?? []).flatMap(({ environmentFiles = [] }) =>
        environmentFiles.map(({ value }) => value),
      ),
    ),
  ]
}

/**
 * The variables of a file. A line is `NAME=value`, taken as it stands: quotes, spaces and `=` in the value are part of
 * it. Lines that begin with `#`, and those without a name, mean nothing.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html
 */
export function readEnvironmentFile(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=')
    if (line.startsWith('#') || at <= 0) continue
    variables[line.slice(0, at)] = line.slice(at + 1)
  }
  return variables
}

/** What the files add to the containers that name them. Of a variable in several files, the first one counts. */
export function fileContributions({ task }: TaskRecord, texts: ReadonlyMap<string, string>): Contributions {
  const contributions: Record<string, Contribution> = {}
  for (const { name, environmentFiles = [] } of task.containers ?? []) {
    if (environmentFiles.length === 0) continue
    const files = environmentFiles.map(({ value }) => readEnvironmentFile(texts.get(value) ?? ''))
    contributions[name] = { environment: Object.assign({}, ...files.toReversed()) as Record<string, string> }
  }
  return contributions
}
