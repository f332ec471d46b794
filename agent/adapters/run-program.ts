import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a program to its end and gives what it printed; rejects with an error whose message holds its standard error. */
export type RunProgram = (program: string, words: readonly string[]) => Promise<string>

const execute = promisify(execFile)

export const runProgram: RunProgram = async (program, words) => {
  const { stdout } = await execute(program, [...words], { timeout: 30_000 })
  return stdout
}
