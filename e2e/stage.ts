import { Account, type AccountOptions } from './account.ts'
import { ScriptedAgent } from './scripted-agent.ts'
import { World } from './world.ts'

/** A control plane without instances, with accounts and scripted agents that end with it. */
export class Stage {
  readonly world: World
  readonly #accounts: Account[] = []
  readonly #agents: ScriptedAgent[] = []

  private constructor(world: World) {
    this.world = world
  }

  static async start(): Promise<Stage> {
    return new Stage(await World.start(['--memory', '--dev', '--no-fargate']))
  }

  newAccount(options?: AccountOptions): Account {
    const account = new Account(this.world, options)
    this.#accounts.push(account)
    return account
  }

  async join(...agent: Parameters<typeof ScriptedAgent.join>): Promise<ScriptedAgent> {
    const joined = await ScriptedAgent.join(...agent)
    this.#agents.push(joined)
    return joined
  }

  /** An account with a cluster of that name and one container instance in it. */
  async withCluster(clusterName: string): Promise<Account> {
    const account = this.newAccount()
    await account.ecs.createCluster({ clusterName })
    await this.join(account, clusterName)
    return account
  }

  /** The operations called so far. */
  called(): Account['called'] {
    const all = (by: keyof Account['called']) =>
      new Set(this.#accounts.flatMap(({ called }) => [...called[by]]))
    return { cli: all('cli'), sdk: all('sdk') }
  }

  async end(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.leave()))
    for (const account of this.#accounts) account.end()
    await this.world.end()
  }
}
