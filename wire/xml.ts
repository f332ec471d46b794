import { XmlShapeSerializer } from '@aws-sdk/core/protocols'
import type { NormalizedSchema } from '@smithy/core/schema'

const dateTime = 5

/** The XML of what stands inside an output's element, by the model's names; empty where the model has no output. */
export function encodeXmlMembers(schema: NormalizedSchema, value: object): string {
  if (!schema.isStructSchema()) return ''
  const serializer = new XmlShapeSerializer({
    xmlNamespace: '',
    serviceNamespace: '',
    timestampFormat: { useTrait: true, default: dateTime },
  })
  serializer.write(schema, value)
  const element = serializer.flush() as string
  const end = element.lastIndexOf('</')
  return end === -1 ? '' : element.slice(element.indexOf('>') + 1, end)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
}

/** Text as it may stand in an element or an attribute. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"\r]/g, (char) => entities[char] ?? char)
}
