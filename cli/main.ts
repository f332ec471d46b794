import { Command, InvalidArgumentError, Option } from 'commander'
import { Failure } from './failure.ts'
import type { UpFlags } from './up.ts'

/** The `berth` command. Each subcommand's code is loaded when it is called, so that `berth env` stays quick. */
const program = new Command('berth')
  .description('Amazon ECS on your own machines.')
  .version('0.1.0')
  .showHelpAfterError("Try 'berth --help'.")
  .configureHelp({ sortSubcommands: false })

const memoryPortOption = new Option('--port <port>', 'of a control plane started with --memory').argParser(
  port,
)
const dataOption = new Option('--data <dir>', 'where state, images and instances are kept').env('BERTH_DATA')

program
  .command('up')
  .description('start the control plane; prints "ready URL" when it serves')
  .addOption(
    new Option('--port <port>', 'the one port of all APIs').env('BERTH_PORT').default(4566).argParser(port),
  )
  .addOption(dataOption)
  .option('--memory', 'keep no state: everything, instances too, is gone when the control plane ends')
  .option('--store <url>', 'keep state in PostgreSQL (postgres://…)')
  .option('--dev', 'accept any signature; keys "test"/"test" are the root of account 000000000000')
  .option(
    '--account-id <id>',
    'the account of the root credentials, and of unknown keys with --dev',
    accountId,
    '000000000000',
  )
  .action(async (options: UpFlags) => (await import('./up.ts')).up(options))

program
  .command('down')
  .description('end the control plane and the local instances with their containers; images and state stay')
  .addOption(dataOption)
  .addOption(memoryPortOption)
  .option('--purge', 'delete the data directory as well')
  .action(async (options: { data?: string; port?: number; purge?: boolean }) =>
    (await import('./down.ts')).down(options),
  )

program
  .command('env')
  .description('print the lines that point the AWS CLI and SDKs here: eval "$(berth env)"')
  .addOption(dataOption)
  .addOption(memoryPortOption)
  .addOption(new Option('--region <region>', 'the default region').default('us-east-1'))
  .action(async (options: { data?: string; port?: number; region: string }) =>
    (await import('./env.ts')).env(options),
  )

program
  .command('docker-host <instance-id>')
  .description("print the address of a local instance's Docker Engine: docker -H $(berth docker-host i-…) ps")
  .addOption(dataOption)
  .addOption(memoryPortOption)
  .action(async (instanceId: string, options: { data?: string; port?: number }) =>
    (await import('./docker-host.ts')).dockerHost(instanceId, options),
  )

program
  .command('join <url>')
  .description('make this machine a container instance of the cluster at URL')
  .requiredOption('--token <token>', 'the token the control plane gave')
  .action(() => {
    throw new Failure(
      'berth join is not available yet. Launch container instances with "aws ec2 run-instances", or run an ECS agent with ECS_BACKEND_HOST set to the control plane.',
    )
  })

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('A port is a number from 1 to 65535.')
  return value
}

function accountId(text: string): string {
  if (!/^\d{12}$/.test(text)) throw new InvalidArgumentError('An account id has twelve digits.')
  return text
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`berth: ${error.message}`)
  process.exit(1)
}
