import { Buffer } from 'node:buffer'

const assignment = /^\s*(?:export\s+)?(ECS_[A-Z0-9_]+|[A-Z][A-Z0-9_]*)=(.*)$/
const redirection = /(?:>>?|\btee\s+(?:-a\s+)?)\s*["']?\/etc\/ecs\/ecs\.config["']?/
const heredoc = /<<-?\s*(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/

/**
 * The agent's settings in user data, as the ECS-optimized image would find them in /etc/ecs/ecs.config after boot:
 * `echo ECS_CLUSTER=demo >> /etc/ecs/ecs.config`, here-documents into that file, or plain `KEY=value` lines, each also
 * inside MIME parts. Scripts are read, never run: an instance shares the machine of its user.
 */
export function ecsConfig(userData: string | undefined): Readonly<Record<string, string>> {
  if (userData === undefined) return {}
  const text = Buffer.from(userData, 'base64').toString('utf8').replaceAll('\r\n', '\n')
  const settings: Record<string, string> = {}
  for (const part of mimeParts(text)) for (const [key, value] of partSettings(part)) settings[key] = value
  return settings
}

function partSettings(part: string): Array<[string, string]> {
  const json = jsonSettings(part)
  if (json) return json
  const lines = part.split('\n')
  const script = lines[0]?.startsWith('#!') ?? false
  return script || redirection.test(part) ? scriptSettings(lines) : lines.flatMap(settingOf)
}

function scriptSettings(lines: readonly string[]): Array<[string, string]> {
  const found: Array<[string, string]> = []
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (line.trimStart().startsWith('#')) continue
    const end = heredoc.exec(line)?.[2]
    const writes = redirection.test(line)
    if (end !== undefined) {
      const from = index + 1
      while (index + 1 < lines.length && lines[index + 1]?.trim() !== end) index++
      if (writes) found.push(...lines.slice(from, index + 1).flatMap(settingOf))
      index++
    } else if (writes) found.push(...echoed(line))
  }
  return found
}

/** What an `echo` or `printf` of the line prints: its quoted or bare words that are assignments. */
function echoed(line: string): Array<[string, string]> {
  const printed = /\b(?:echo|printf)\s+(?:-[a-zA-Z]+\s+)?(.*?)\s*(?:\||>)/.exec(line)?.[1] ?? ''
  const quoted = /^(["'])(.*)\1$/s.exec(printed.trim())
  const unquoted = quoted?.[2] ?? printed.trim()
  const plain = quoted?.[1] === '"' ? unquoted.replaceAll(/\\(["\\$`])/g, '$1') : unquoted
  return plain.split(/\\n|\n/).flatMap(settingOf)
}

function settingOf(line: string): Array<[string, string]> {
  const [, key, value] = assignment.exec(line) ?? []
  if (key === undefined || value === undefined) return []
  return [[key, value.trim().replace(/^(["'])(.*)\1$/, '$2')]]
}

/** The agent also takes its settings as JSON, `{"ECSAgentConfiguration": {"Cluster": "demo"}}`. */
function jsonSettings(part: string): Array<[string, string]> | undefined {
  if (!part.trimStart().startsWith('{')) return undefined
  try {
    const { ECSAgentConfiguration: settings } = JSON.parse(part) as {
      ECSAgentConfiguration?: { Cluster?: unknown }
    }
    return typeof settings?.Cluster === 'string' ? [['ECS_CLUSTER', settings.Cluster]] : []
  } catch {
    return undefined
  }
}

/** The bodies of a MIME multipart text, or the text itself. */
function mimeParts(text: string): string[] {
  const boundary = /^content-type:\s*multipart\/[^\n]*(?:\n[ \t][^\n]*)*?boundary="?([^"\s;]+)"?/im.exec(
    text,
  )?.[1]
  if (boundary === undefined) return [text]
  const parts = text.split(`\n--${boundary}`).slice(1)
  return parts.flatMap((part) => {
    if (part.startsWith('--')) return []
    const [head = '', ...body] = part.replace(/^\n/, '').split('\n\n')
    const content = body.join('\n\n')
    const encoded = /^content-transfer-encoding:\s*base64/im.test(head)
    return mimeParts(encoded ? Buffer.from(content, 'base64').toString('utf8') : content)
  })
}
