import { after, before, host, mount, type Row } from './container-parameters-row.ts'

export const volumeRows: readonly Row[] = [
  {
    what: 'tmpfs',
    container: {
      linuxParameters: {
        tmpfs: [{ containerPath: '/scratch', size: 3, mountOptions: ['noexec', 'mode=700'] }],
      },
    },
    script: "grep ' /scratch ' /proc/mounts | grep -o -E 'noexec|size=[0-9]+k|mode=[0-9]+' | sort",
    prints: ['mode=700', 'noexec', 'size=3072k'],
  },
  {
    what: 'mountPoints of a path of the host, read-only',
    container: { mountPoints: [{ sourceVolume: 'etc', containerPath: '/there', readOnly: true }] },
    more: { volumes: [host('etc', '/etc')] },
    script: 'test -e /there/passwd && echo there; touch /there/x 2>/dev/null || echo refused',
    prints: ['there', 'refused'],
  },
  {
    what: 'volumesFrom',
    container: { ...after, volumesFrom: [{ sourceContainer: 'before', readOnly: true }] },
    others: [before('echo kept > /data/word', { mountPoints: [mount('data')] })],
    more: { volumes: [host('data')] },
    script: 'cat /data/word; touch /data/x 2>/dev/null || echo refused',
    prints: ['kept', 'refused'],
  },
  {
    what: 'a Docker volume with options of its driver',
    container: { mountPoints: [mount('ram')] },
    more: {
      volumes: [
        {
          name: 'ram',
          dockerVolumeConfiguration: {
            scope: 'task',
            driver: 'local',
            driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=2m' },
          },
        },
      ],
    },
    script: "grep ' /ram ' /proc/mounts | grep -o -E '^tmpfs|size=[0-9]+k'",
    prints: ['tmpfs', 'size=2048k'],
  },
  {
    what: 'runtimePlatform of the host',
    more: {
      runtimePlatform: {
        cpuArchitecture: process.arch === 'arm64' ? 'ARM64' : 'X86_64',
        operatingSystemFamily: 'LINUX',
      },
    },
    script: 'uname -s',
    prints: ['Linux'],
  },
]
