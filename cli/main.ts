import { Command, InvalidArgumentError, Option } from 'commander'
import type { CreateServiceFlags, RunTaskFlags } from './explain.ts'
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
  .option('--throttle', "hold to AWS's limits on ECS requests: too many are answered ThrottlingException")
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

const explain = program
  .command('explain')
  .description('say where tasks would be placed, or why there is no place for them; nothing is changed')

function explaining(name: string, description: string): Command {
  return explain
    .command(name)
    .description(description)
    .addOption(dataOption)
    .addOption(memoryPortOption)
    .option('--all', 'list every instance, not only the first twenty')
    .option('--json', 'print all that is known, as JSON')
}

explaining('run-task', 'explain what "aws ecs run-task" would do; the options are as there')
  .option('--cluster <cluster>', 'the cluster; without it, "default"')
  .option('--task-definition <name>', 'FAMILY, FAMILY:REVISION or ARN')
  .option('--count <count>', 'how many tasks, 10 at most', Number)
  .option('--launch-type <type>', 'EC2, EXTERNAL or FARGATE')
  .option('--group <group>', 'the task group')
  .option('--placement-constraints <constraint...>', 'type=memberOf,expression=… or JSON')
  .option('--placement-strategy <strategy...>', 'type=spread,field=… or JSON')
  .option('--capacity-provider-strategy <item...>', 'capacityProvider=…,weight=1 or JSON')
  .option(
    '--cli-input-json <file>',
    'the input of RunTask: JSON, a file that holds it, or - for the standard input',
  )
  .action(async (options: RunTaskFlags) => (await import('./explain.ts')).explainRunTask(options))

explaining('create-service', 'explain what "aws ecs create-service" would do')
  .requiredOption('--cli-input-json <file>', 'the input of CreateService: JSON, a file that holds it, or -')
  .action(async (options: CreateServiceFlags) => (await import('./explain.ts')).explainCreateService(options))

explaining(
  'service <cluster/service>',
  'explain where the tasks go that a service lacks, or one more of it',
).action(async (name: string, options: RunTaskFlags) =>
  (await import('./explain.ts')).explainService(name, options),
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
