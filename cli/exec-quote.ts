/** A word as ExecuteCommand takes it in a command: as it is where nothing in it means anything, else in single quotes. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", `'"'"'`)}'`
}
