import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { RuntimeError } from './container-runtime.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost } from './fake-host.ts'

const taskIds = ['a', 'b', 'c']
/** One kind of action, `weight` times as likely as others. */
const some = <Kind extends string, More extends object>(
  weight: number,
  kind: Kind,
  more: { [Key in keyof More]: fc.Arbitrary<More[Key]> },
) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constant(kind), ...more }) as fc.Arbitrary<{ kind: Kind } & More>,
})
const actions = fc.array(
  fc.oneof(
    some(6, 'send', { task: fc.constantFrom(...taskIds) }),
    some(4, 'stop', { task: fc.constantFrom(...taskIds) }),
    some(2, 'exit', { at: fc.nat(20) }),
    some(3, 'remove', { at: fc.nat(20) }),
    some(2, 'restart', {}),
    some(4, 'crashLater', { calls: fc.nat(12) }),
    some(4, 'loseAnswers', {
      call: fc.constantFrom('create', 'start', 'stop', 'inspect'),
      moment: fc.constantFrom('before', 'after'),
    }),
    some(1, 'refuseSubmissions', { count: fc.nat(3) }),
    some(1, 'daemonDown', { killing: fc.boolean() }),
    some(2, 'wait', { ms: fc.nat(3000) }),
  ),
  { maxLength: 25 },
)
type Action = typeof actions extends fc.Arbitrary<ReadonlyArray<infer A>> ? A : never

const taskOf = (id: string) =>
  fakeTask(id, [
    fakeContainer('database', { portMappings: [{ containerPort: 5432, hostPort: 0 }] }),
    fakeContainer('web', { dependsOn: [{ containerName: 'database', condition: 'START' }] }),
    fakeContainer('sidecar', { essential: false }),
  ])

/** Plays the actions on one host and then lets every fault end. */
async function play(seed: number, script: readonly Action[]): Promise<FakeHost> {
  let crashIn = -1
  let lose = ''
  let crashed = false
  const host: FakeHost = new FakeHost(new SimulatedClock(1_000_000), {
    seed,
    runtime: {
      fault: (call, moment) => {
        if (crashIn >= 0 && crashIn-- === 0) {
          host.crash()
          crashed = true
        }
        if (lose === `${moment} ${call}`)
          throw new RuntimeError('unreachable', `answer to ${call} lost ${moment} it took effect`)
      },
    },
  })
  const nth = (at: number): string | undefined =>
    [...host.runtime.containers.keys()][at % Math.max(1, host.runtime.containers.size)]
  await host.start()
  for (const action of script) {
    if (crashed && !('at' in action)) {
      crashed = false
      await host.start()
    }
    if (action.kind === 'send') await host.send(taskOf(action.task))
    if (action.kind === 'stop') await host.send({ arn: taskOf(action.task).arn, desiredStatus: 'STOPPED' })
    const id = 'at' in action ? nth(action.at) : undefined
    if (action.kind === 'exit' && id !== undefined) host.runtime.exit(id, 3)
    if (action.kind === 'remove' && id !== undefined) host.runtime.removeBehindBack(id)
    if (action.kind === 'wait' || action.kind === 'restart') lose = ''
    if (action.kind === 'restart' && host.runtime.isUp) await host.restart()
    if (action.kind === 'crashLater') crashIn = action.calls
    if (action.kind === 'loseAnswers') lose = `${action.moment} ${action.call}`
    if (action.kind === 'refuseSubmissions')
      for (let count = 0; count < action.count; count++)
        host.control.submissionErrors.push(new Error('ECONNREFUSED'))
    if (action.kind === 'daemonDown') {
      host.runtime.goDown(action.killing)
      await host.run(1500)
      host.runtime.comeUp()
    }
    await host.run(action.kind === 'wait' ? action.ms : 5)
  }
  crashIn = -1
  lose = ''
  host.control.submissionErrors.length = 0
  await host.restart()
  await host.run(600_000)
  return host
}

test('whatever happens, no container starts twice and the control plane ends up knowing the truth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), actions, async (seed, script) => {
      const host = await play(seed, script)
      for (const starts of host.runtime.starts.values()) expect(starts).toBe(1)
      for (const record of host.agent.records()) {
        const told = host.control.submissions.filter(({ task }) => task === record.task.arn)
        const statuses = told.map(({ status }) => status)
        const stopped = statuses.indexOf('STOPPED')
        // After a crash the last report may come again, but nothing after STOPPED is anything else.
        expect(stopped < 0 || statuses.slice(stopped).every((status) => status === 'STOPPED')).toBe(true)
        const live = [...host.runtime.containers.values()].filter(
          ({ status, labels }) =>
            status === 'running' && labels['com.amazonaws.ecs.task-arn'] === record.task.arn,
        )
        expect(statuses.at(-1)).toBe(record.desiredStatus)
        const believed = new Map<string, string>()
        for (const { containers } of told)
          for (const { containerName = '', status = '' } of containers ?? [])
            believed.set(containerName, status)
        const running = [...believed].filter(([, status]) => status === 'RUNNING').map(([name]) => name)
        expect(running.toSorted()).toEqual(
          live.map(({ labels }) => labels['com.amazonaws.ecs.container-name'] ?? '').toSorted(),
        )
      }
      // Containers nobody knows of would run for ever.
      const known = new Set(
        host.agent.records().flatMap(({ containers }) => containers.map(({ dockerName }) => dockerName)),
      )
      for (const { name } of host.runtime.containers.values()) expect(known).toContain(name)
    }),
    { numRuns: 100 },
  )
}, 60_000)
