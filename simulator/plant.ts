/** Loaded before the simulator, plants the bug that PLANTED_BUG names: nothing but the text that is run changes. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { patchesOf, plantedBugs } from './planted-bugs.ts'

const bug = plantedBugs.find(({ name }) => name === process.env['PLANTED_BUG'])
if (!bug) throw new Error(`no such bug: ${process.env['PLANTED_BUG']}`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const patch = patchesOf(bug).find(({ file }) => url.endsWith(`/${file}`))
    if (!patch) return loaded
    const source = readFileSync(fileURLToPath(url), 'utf8')
    if (source.split(patch.right).length !== 2) throw new Error(`${patch.file} has not once: ${patch.right}`)
    return { ...loaded, source: source.replace(patch.right, () => patch.wrong) }
  },
})
