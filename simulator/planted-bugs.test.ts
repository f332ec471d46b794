import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { patchesOf, plantedBugs } from './planted-bugs.ts'
import { scenarios } from './scenarios.ts'

// Whether each is found takes minutes: tools/planted-bugs.ts tells.
test.each(plantedBugs)('it can still be planted that $name', (bug) => {
  for (const { file, right } of patchesOf(bug)) {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
    expect(text.split(right)).toHaveLength(2)
  }
  expect(Object.keys(scenarios)).toContain(bug.scenario)
})
