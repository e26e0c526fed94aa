import { defaultSeccomp } from './seccomp.ts';

/** The configuration of a container after the OCI runtime specification 1.0.2, as the units of this driver need it. */

export interface Mount {
  readonly source: string;
  readonly destination: string;
  readonly writable?: boolean;
}

export interface ContainerLimits {
  readonly cpuCores?: number;
  readonly memoryMiB?: number;
  readonly pidsMax?: number;
}

export interface ContainerSettings {
  readonly rootfs: string;
  /** The root file system can be written: the caller made it private. */
  readonly writableRoot?: boolean;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly hostname?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Path of the network namespace, such as /run/netns/u1. */
  readonly networkNamespace: string;
  /** Relative to the root of every cgroup hierarchy. */
  readonly cgroup: string;
  readonly limits?: ContainerLimits;
  /** Instead of `PLAIN_CAPABILITIES`. */
  readonly capabilities?: readonly string[];
  /** Files and folders of the machine. Read-only unless told otherwise. */
  readonly mounts?: readonly Mount[];
  /** Where a tmpfs lies; /tmp when it is not given. */
  readonly tmpfs?: readonly string[];
}

/** What an ordinary program that starts as root and may become somebody else needs. */
export const PLAIN_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
];

/** A network function may do to its own network namespace what it likes, and to nothing else. */
export const NETWORK_CAPABILITIES: readonly string[] = [...PLAIN_CAPABILITIES, 'CAP_NET_ADMIN', 'CAP_NET_RAW'];

const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const CPU_PERIOD_US = 100_000;
const TMPFS_MIB = 64;
const PATH = '/opt/superfluidity/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const SYSTEM_MOUNTS = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=64k'] },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=64m'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
];

function resources(limits: ContainerLimits): object {
  return {
    devices: [{ allow: false, access: 'rwm' }],
    ...(limits.cpuCores === undefined
      ? {}
      : { cpu: { period: CPU_PERIOD_US, quota: Math.max(1000, Math.round(limits.cpuCores * CPU_PERIOD_US)) } }),
    ...(limits.memoryMiB === undefined ? {} : { memory: { limit: Math.round(limits.memoryMiB * 1024 * 1024) } }),
    ...(limits.pidsMax === undefined ? {} : { pids: { limit: limits.pidsMax } }),
  };
}

export function containerConfig(settings: ContainerSettings): object {
  const capabilities = [...(settings.capabilities ?? PLAIN_CAPABILITIES)];
  const env = { PATH, HOME: '/tmp', ...settings.env };
  return {
    ociVersion: '1.0.2',
    root: { path: settings.rootfs, readonly: settings.writableRoot !== true },
    hostname: settings.hostname ?? 'unit',
    process: {
      terminal: false,
      user: settings.user ?? { uid: 0, gid: 0 },
      args: [...settings.args],
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      cwd: settings.cwd ?? '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    mounts: [
      ...SYSTEM_MOUNTS,
      ...(settings.tmpfs ?? ['/tmp']).map((destination) => ({
        destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'nodev', 'mode=1777', `size=${TMPFS_MIB}m`],
      })),
      ...(settings.mounts ?? []).map(({ source, destination, writable }) => ({
        destination,
        type: 'bind',
        source,
        options: ['rbind', 'rprivate', 'nosuid', 'nodev', writable === true ? 'rw' : 'ro'],
      })),
    ],
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'network', path: settings.networkNamespace },
      ],
      cgroupsPath: settings.cgroup,
      resources: resources(settings.limits ?? {}),
      seccomp: defaultSeccomp(),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}
