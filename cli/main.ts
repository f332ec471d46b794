import { Command, InvalidArgumentError, Option } from 'commander'
import type { ExecFlags } from './exec.ts'
import type { CreateServiceFlags, RunTaskFlags } from './explain.ts'
import { Failure } from './failure.ts'
import type { JoinFlags } from './join.ts'
import type { LeaveFlags } from './leave.ts'
import type { TokenFlags } from './token.ts'
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
  .option(
    '--listen <address>',
    'listen on this address too, for other machines and over TLS only; may be given more than once',
    (address: string, before: string[] | undefined) => [...(before ?? []), address],
  )
  .addOption(dataOption)
  .option('--memory', 'keep no state: everything, instances too, is gone when the control plane ends')
  .option('--store <url>', 'keep state in PostgreSQL (postgres://…)')
  .option('--dev', 'accept any signature; keys "test"/"test" are the root of account 000000000000')
  .addOption(
    new Option(
      '--iam <mode>',
      'whether policies decide what users, roles and their sessions may do: "enforce", or "off", when everybody may do everything',
    )
      .choices(['off', 'enforce'])
      .env('BERTH_IAM')
      .default('off'),
  )
  .option('--throttle', "hold to AWS's limits on ECS requests: too many are answered ThrottlingException")
  .option(
    '--account-id <id>',
    'the account of the root credentials, and of unknown keys with --dev',
    accountId,
    '000000000000',
  )
  .addOption(
    new Option(
      '--fargate-cpu <vCPU>',
      'how many vCPUs Fargate tasks may have together (default: 4 a core)',
    ).argParser(amount),
  )
  .addOption(
    new Option(
      '--fargate-memory <GiB>',
      "how much memory Fargate tasks may have together (default: three quarters of the machine's)",
    ).argParser(amount),
  )
  .option(
    '--fargate-runtime <name>',
    'what starts the containers of Fargate tasks: runc (default), runsc, io.containerd.kata.v2, …',
  )
  .addOption(
    new Option(
      '--logs-max <GiB>',
      'how much CloudWatch Logs keeps, the oldest going first (default: 10)',
    ).argParser(amount),
  )
  .option('--no-fargate', 'start nothing on Fargate: tasks fail with RESOURCE:FARGATE')
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
  .command('exec <task> [command...]')
  .description(
    "run a command in a container of a task that has execute command enabled, or of a service's first such task; without a command, /bin/sh",
  )
  .usage('[options] <task|service> [-- command...]')
  .addOption(dataOption)
  .addOption(memoryPortOption)
  .option('--cluster <cluster>', 'the cluster; without it, the one of the ARN, or "default"')
  .option('--container <name>', 'the container; needed where the task has more than one')
  .action(async (task: string, command: string[], options: ExecFlags) =>
    (await import('./exec.ts')).exec(task, command, options),
  )

const token = program.command('token').description('tokens with which other machines join')

token
  .command('create')
  .description('print the line that makes another machine a container instance; needs "berth up --listen"')
  .addOption(dataOption)
  .addOption(memoryPortOption)
  .option('--cluster <name>', 'the only cluster it is good for')
  .option('--expires <duration>', 'how long it is good: 30m, 1h, 7d', '1h')
  .option('--uses <count>', 'how many machines may join with it', Number, 1)
  .option('--tags <key=value...>', 'tags of the container instances')
  .action(async (options: TokenFlags) => (await import('./token.ts')).createToken(options))

program
  .command('join [url]')
  .description(
    'make this machine a container instance of the control plane at URL; without a URL, start the agent of one that has joined',
  )
  .option('--token <token>', 'what "berth token create" gave')
  .option('--cluster <name>', 'the cluster, where the token leaves it open (default: "default")')
  .addOption(dataOption)
  .option('--docker <url>', 'the Docker Engine tasks run on', 'unix:///var/run/docker.sock')
  .option('--foreground', 'run the agent here, and install nothing')
  .action(async (url: string | undefined, options: JoinFlags) =>
    (await import('./join.ts')).join(url, options),
  )

program
  .command('leave')
  .description('make this machine no container instance any more; refuses while tasks run here')
  .addOption(dataOption)
  .option('--force', 'stop the tasks first; leave even if the control plane does not answer')
  .action(async (options: LeaveFlags) => (await import('./leave.ts')).leave(options))

function amount(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('it must be a number above 0')
  return value
}

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
