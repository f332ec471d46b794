/**
 * Splits a command into words as the far end of a session at AWS does: by blanks, with quotes; a backslash takes the
 * next character as it is, except in single quotes; `#` begins a comment; nothing is expanded. Undefined when a quote
 * or a backslash is left open.
 */
export function commandWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote: '"' | "'" | undefined
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote === "'" && char !== "'") word += char
    else if (quote && char === quote) quote = undefined
    else if (char === '\\') {
      const next = text.charAt(++at)
      if (next === '') return undefined
      word = (word ?? '') + next
    } else if (quote) word += char
    else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === '#' && word === undefined) {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end
    } else word = (word ?? '') + char
  }
  if (quote) return undefined
  return word === undefined ? words : [...words, word]
}
