import { defineConfig } from 'vitest/config'

/** Tries every parameter of every operation: a third of the time of all unit tests, so that `npm run check` leaves it out. */
const claims = 'control-plane/adapters/parameters.test.ts'

export default defineConfig({
  test: {
    // By default one core is left idle; these tests wait for nobody who would need it.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '.berth/**', claims],
          // Modules keep caches only, so files may share them: to load them anew for each takes longer than the tests.
          isolate: false,
        },
      },
      { test: { name: 'claims', include: [claims] } },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.e2e.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
