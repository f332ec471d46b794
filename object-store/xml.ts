const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

export function textElement(name: string, text: string): string {
  return `<${name}>${text.replaceAll(/[&<>"\r]/g, (char) => entities[char] ?? char)}</${name}>`
}

/** `content` is markup already. */
export function xmlDocument(root: string, content: string): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${content}</${root}>`
}
