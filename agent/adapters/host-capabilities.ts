/** What this host can beyond what every one can, as the attributes that the agent registers. */
import type { Attribute } from '#engine/registration.ts'
import type { Environment } from './environment.ts'
import type { Gpus } from './gpus.ts'

/** What the Docker Engine says of itself. */
export interface EngineInfo {
  /** `overlay2` */
  readonly storageDriver: string
  readonly rootDirectory: string
  readonly cgroupDriver: string
  readonly cgroupVersion: 1 | 2
  readonly logDrivers: readonly string[]
  readonly volumeDrivers: readonly string[]
  /** `apparmor`, `selinux`, `seccomp`, … */
  readonly security: readonly string[]
}

const ecs = 'ecs.capability.'
const legacy = 'com.amazonaws.ecs.capability.'

export function hostCapabilities(
  engine: EngineInfo,
  environment: Environment,
  found: { readonly taskCgroups: boolean; readonly efs: boolean; readonly gpus?: Gpus | undefined },
): readonly Attribute[] {
  const secured = (name: string, variable: string): boolean =>
    environment[variable] === 'true' ||
    (environment[variable] === undefined && engine.security.includes(name))
  const names = [
    ...(found.taskCgroups ? [`${ecs}task-cpu-mem-limit`, `${ecs}increased-task-cpu-limit`] : []),
    ...engine.volumeDrivers.flatMap(pluginNames).map((name) => `${ecs}docker-plugin.${name}`),
    ...(secured('apparmor', 'ECS_APPARMOR_CAPABLE') ? [`${legacy}apparmor`] : []),
    ...(secured('selinux', 'ECS_SELINUX_CAPABLE') ? [`${legacy}selinux`] : []),
    // Every EFS volume asks for both, whether it has anything authorized or not.
    ...(found.efs ? [`${ecs}efs`, `${ecs}efsAuth`] : []),
  ]
  return [
    ...names.map((name) => ({ name })),
    ...(found.gpus ? [{ name: `${ecs}gpu-driver-version`, value: found.gpus.driverVersion }] : []),
  ]
}

/** A plugin's name has its tag after a period, and the latest one goes by its bare name too. */
function pluginNames(driver: string): readonly string[] {
  const [name = '', tag] = driver.split(':')
  if (tag === undefined) return [name]
  return tag === 'latest' ? [name, `${name}.latest`] : [`${name}.${tag}`]
}

/** The drivers that ECS knows and that need nothing but Docker, and the network for some. */
const plainLogDrivers = ['json-file', 'syslog', 'gelf', 'fluentd', 'splunk', 'awslogs']

/** The log drivers that tasks may ask for: those the setting names, or else `base` and what Docker and the host have. */
export function loggingDrivers(
  engine: EngineInfo,
  environment: Environment,
  base: readonly string[],
  hasJournal: boolean,
): readonly string[] {
  if (environment['ECS_AVAILABLE_LOGGING_DRIVERS']) return base
  const plain = [...plainLogDrivers, ...(hasJournal ? ['journald'] : [])]
  return [...new Set([...base, ...plain.filter((driver) => engine.logDrivers.includes(driver))])]
}
