import { AwsError } from './error.ts'
import type { ScalarKind, Shape, StructShape } from './shape.ts'

/** Which of the two form dialects: EC2 capitalises names and flattens every list. */
export type QueryDialect = 'ec2' | 'query'

interface Node {
  text: string | undefined
  readonly children: Map<string, Node>
}

/** The value of a form by its shape: `Filter.1.Value.2=x` and the like. Parameters the shape does not name are dropped. */
export function decodeQuery(shape: StructShape, form: URLSearchParams, dialect: QueryDialect): object {
  const root: Node = { text: undefined, children: new Map() }
  for (const [key, text] of form) {
    let node = root
    for (const part of key.split('.')) {
      let child = node.children.get(part)
      if (!child) node.children.set(part, (child = { text: undefined, children: new Map() }))
      node = child
    }
    node.text = text
  }
  return decode(shape, root, dialect, '') as object
}

function decode(shape: Shape, node: Node, dialect: QueryDialect, path: string): unknown {
  switch (shape.kind) {
    case 'struct': {
      const value: Record<string, unknown> = {}
      for (const member of shape.members.values()) {
        const name = dialect === 'ec2' ? member.ec2Name : member.queryName
        const child = node.children.get(name)
        if (child) value[member.name] = decode(member.shape, child, dialect, path ? `${path}.${name}` : name)
      }
      return value
    }
    case 'list': {
      const named = dialect === 'query' && shape.queryName ? node.children.get(shape.queryName) : node
      return numbered(named).map(([number, child]) => decode(shape.item, child, dialect, `${path}.${number}`))
    }
    case 'map':
      return Object.fromEntries(
        numbered(node.children.get('entry') ?? node).flatMap(([number, { children }]) => {
          const key = children.get('key')?.text
          const child = children.get('value')
          return key === undefined || !child
            ? []
            : [[key, decode(shape.value, child, dialect, `${path}.${number}`)]]
        }),
      )
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'timestamp':
    case 'blob':
    case 'document':
      return decodeScalar(shape.kind, node.text ?? '', path, dialect)
  }
}

function numbered(node: Node | undefined): Array<[number, Node]> {
  return [...(node?.children ?? [])]
    .flatMap(([key, child]): Array<[number, Node]> => (/^\d+$/.test(key) ? [[Number(key), child]] : []))
    .sort(([a], [b]) => a - b)
}

function decodeScalar(kind: ScalarKind, text: string, path: string, dialect: QueryDialect): unknown {
  switch (kind) {
    case 'string':
    case 'document':
      return text
    case 'blob':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'boolean':
      if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
      break
    case 'integer':
      if (/^[+-]?\d+$/.test(text)) return Number(text)
      break
    case 'number':
      if (/^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return Number(text)
      break
    case 'timestamp': {
      const date = new Date(text)
      if (!Number.isNaN(date.getTime())) return date
    }
  }
  throw dialect === 'ec2'
    ? new AwsError(
        'InvalidParameterValue',
        `Value (${text}) for parameter ${path} is invalid. Expected ${kind}.`,
      )
    : new AwsError('MalformedInput', `Value (${text}) for parameter ${path} is not a valid ${kind}.`)
}
