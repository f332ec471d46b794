import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/**
 * Runs everything that must hold: types, lint, format, dead code, the unit and simulator tests, then the tests with real
 * clients and real Docker. Prints the counts of tests as its last line; exits with 0 only when all is well.
 */
const bin = resolve('node_modules/.bin')
const environment = {
  SIMULATED_SEEDS: '12',
  ...process.env,
  PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
}
const output = mkdtempSync(join(tmpdir(), 'berth-test-'))
let failedChecks = 0

function run(name: string, command: string, args: readonly string[]): boolean {
  console.log(`\n== ${name}`)
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: environment })
  return status === 0
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
}

/** The counts of a vitest project; a run that ended without a report counts as one failure. */
function runTests(project: string): { passed: number; failed: number } {
  const file = join(output, `${project}.json`)
  const good = run(`tests: ${project}`, 'vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${file}`,
  ])
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    const failed = Math.max(report.numFailedTests, good ? 0 : 1)
    return { passed: report.numPassedTests, failed }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

for (const [name, command, ...args] of [
  ['types', 'tsc'],
  ['lint', 'oxlint', '--type-aware'],
  ['format', 'oxfmt', '--check', '.'],
  ['dead code', 'knip'],
] as const)
  if (!run(name, command, args)) failedChecks++

const counts = [runTests('unit'), runTests('claims'), runTests('e2e')]
rmSync(output, { recursive: true, force: true })
const passed = counts.reduce((sum, count) => sum + count.passed, 0)
const failed = counts.reduce((sum, count) => sum + count.failed, failedChecks)
if (failedChecks > 0) console.log(`\n${failedChecks} of the checks failed`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
