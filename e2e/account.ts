import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { ECS } from '@aws-sdk/client-ecs'
import type { World } from './world.ts'

let accounts = 0

export interface AccountOptions {
  /** Its number, when it is to be that of the clients of `World`: 000000000000. */
  readonly id?: string
  /** A directory where the AWS CLI finds programs before it looks elsewhere. */
  readonly programs?: string
}

/**
 * A user of a control plane that runs with `--dev`, in an account of their own: what they name and how often they ask is
 * nobody else's affair, so that tests of one control plane may run side by side.
 */
export class Account {
  readonly id: string
  readonly ecs: ECS
  /** The operations that were called, as the model calls them, by what called them. */
  readonly called = { cli: new Set<string>(), sdk: new Set<string>() }
  readonly url: string

  readonly #programs: string | undefined

  constructor({ berth }: World, { id, programs }: AccountOptions = {}) {
    this.#programs = programs
    this.id = id ?? String(100_000_000_000 + ++accounts)
    this.url = berth.url
    this.ecs = new ECS({
      region: 'us-east-1',
      endpoint: this.url,
      credentials: { accessKeyId: this.id, secretAccessKey: 'any' },
    })
    this.ecs.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          this.called.sdk.add(String(commandName).replace(/Command$/, ''))
          return next(args)
        },
      { step: 'initialize' },
    )
  }

  arn(resource: string): string {
    return `arn:aws:ecs:us-east-1:${this.id}:${resource}`
  }

  /**
   * What `aws ecs …` prints, for aws`list-tasks --cluster ${name}`: the words between blanks, each value one word, as JSON
   * where it is not text. Rejects with the CLI's standard error when it fails.
   */
  async aws(text: TemplateStringsArray, ...values: readonly unknown[]): Promise<unknown> {
    const words = text.flatMap((literal, index) => [
      ...literal.split(/\s+/).filter(Boolean),
      ...values
        .slice(index, index + 1)
        .map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
    ])
    this.called.cli.add(modelName(words[0] ?? ''))
    const printed = await this.#cli(['ecs', ...words])
    return printed === '' ? undefined : JSON.parse(printed)
  }

  /** The operations of Amazon ECS that this machine's AWS CLI knows. */
  async known(): Promise<string[]> {
    const usage = await this.#cli(['ecs', 'none-of-them']).catch(String)
    const [, choices = ''] = usage.split('valid choices are:')
    return [...choices.matchAll(/[a-z]+(?:-[a-z]+)+/g)].map(([operation]) => modelName(operation))
  }

  end(): void {
    this.ecs.destroy()
  }

  #cli(words: readonly string[]): Promise<string> {
    // The machine may have several; the one that Debian packages is the one that is promised to work.
    const aws = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws'
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: this.id,
      AWS_SECRET_ACCESS_KEY: 'any',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_DEFAULT_OUTPUT: 'json',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_PAGER: '',
      ...(this.#programs !== undefined && { PATH: [this.#programs, process.env['PATH']].join(delimiter) }),
    }
    return new Promise((resolve, reject) => {
      execFile(aws, ['--endpoint-url', this.url, ...words], { env }, (error, stdout, stderr) => {
        if (error) reject(new Error(stderr.trim()))
        else resolve(stdout.trim())
      })
    })
  }
}

/** `create-cluster` is `CreateCluster`. */
function modelName(operation: string): string {
  return operation.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
