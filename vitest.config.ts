import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // By default one core is left idle; these tests wait for nobody who would need it.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '.berth/**'],
          // Modules keep caches only, so files may share them: to load them anew for each takes longer than the tests.
          isolate: false,
        },
      },
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
