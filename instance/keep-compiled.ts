// Preloaded into the agent: writes what Node.js has compiled to NODE_COMPILE_CACHE once the agent has settled. At its end
// it would be written too, but a process that lives for months is more often killed than ended.
import { flushCompileCache } from 'node:module'

const settledAfterMs = 5_000
setTimeout(flushCompileCache, settledAfterMs).unref()
