import { expect, test } from 'vitest'
import { commandWords } from './exec-words.ts'

test.each<[string, readonly string[] | undefined]>([
  ['/bin/sh', ['/bin/sh']],
  ['  ls   -l\t/tmp\n', ['ls', '-l', '/tmp']],
  ['sh -c "echo $HOME; ls *"', ['sh', '-c', 'echo $HOME; ls *']],
  [`a 'b c' d"e f"g`, ['a', 'b c', 'de fg']],
  [`"a \\"b\\" \\c" 'd\\e' f\\ g`, ['a "b" c', 'd\\e', 'f g']],
  [`'' ""`, ['', '']],
  ['a # the rest\nb c#d', ['a', 'b', 'c#d']],
  ['', []],
  [`a 'b`, undefined],
  ['a "b', undefined],
  ['a \\', undefined],
])('splits %j', (command, words) => {
  expect(commandWords(command)).toEqual(words)
})
