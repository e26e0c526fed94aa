import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkOptions, defaultOptions, type LabOptions } from './options.ts';

/** A laboratory on this machine: one folder, one address, one password. */
export interface Lab {
  readonly options: LabOptions;
  readonly paths: LabPaths;
  readonly password: string;
}

export interface LabPaths {
  readonly folder: string;
  /** Configuration files, written by every `up`. */
  readonly etc: string;
  readonly log: string;
  /** Sockets, and what is known of processes. */
  readonly run: string;
  /** Data: what `down` keeps and `down --wipe` removes. */
  readonly var: string;
  readonly options: string;
  readonly password: string;
  readonly cloudsYaml: string;
  readonly openrc: string;
}

/** `$SUPERFLUIDITY_LAB` moves the laboratories of a machine, `$SUPERFLUIDITY_LAB_CACHE` what makes the next one fast. */
export function labFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['SUPERFLUIDITY_LAB'] ?? '/var/tmp/superfluidity-lab', 'openstack');
}

export function labCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['SUPERFLUIDITY_LAB_CACHE']) return env['SUPERFLUIDITY_LAB_CACHE'];
  const cache = process.getuid?.() === 0 ? '/var/cache' : (env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));
  return join(cache, 'superfluidity-lab');
}

export function labPaths(folder: string = labFolder()): LabPaths {
  return {
    folder,
    etc: join(folder, 'etc'),
    log: join(folder, 'log'),
    run: join(folder, 'run'),
    var: join(folder, 'var'),
    options: join(folder, 'lab.json'),
    password: join(folder, 'var/password'),
    cloudsYaml: join(folder, 'clouds.yaml'),
    openrc: join(folder, 'openrc'),
  };
}

/** What the laboratory in this folder was last started with. */
export function savedOptions(paths: LabPaths): LabOptions | undefined {
  if (!existsSync(paths.options)) return undefined;
  const saved = JSON.parse(readFileSync(paths.options, 'utf8')) as Partial<LabOptions>;
  return checkOptions({ ...defaultOptions(), ...saved });
}

export function saveOptions(paths: LabPaths, options: LabOptions): void {
  writeFile(paths.options, `${JSON.stringify(options, undefined, 2)}\n`);
}

/** The laboratory as it was last started, whether it runs or not. */
export function savedLab(paths: LabPaths = labPaths()): Lab | undefined {
  const options = savedOptions(paths);
  if (options === undefined || !existsSync(paths.password)) return undefined;
  return { options, paths, password: readFileSync(paths.password, 'utf8').trim() };
}

/** One password for the database, the queue and all users, made with the data that it opens. */
export function ensurePassword(paths: LabPaths): string {
  if (!existsSync(paths.password)) writeFile(paths.password, `${randomBytes(18).toString('hex')}\n`);
  return readFileSync(paths.password, 'utf8').trim();
}

/** Whole or not at all, and for nobody else's eyes. */
export function writeFile(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.partial`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** Fixed: laboratories beside each other have addresses of their own. */
export const PORTS = {
  keystone: 5000,
  placement: 8778,
  glance: 9292,
  neutron: 9696,
  nova: 8774,
  heat: 8004,
  octavia: 9876,
  mistral: 8989,
  ironic: 6385,
  metadata: 8775,
  mariadb: 3306,
  rabbitmq: 5672,
  memcached: 11211,
  ovsdb: 6640,
  openflow: 6633,
  ovnNorthbound: 6641,
  ovnSouthbound: 6642,
} as const;

/** These also listen on every loopback address, so that the port has to differ: the last number of the address is added. */
export function ownPort(lab: Lab, base: number): number {
  return base + Number(lab.options.address.split('.')[3]) - 1;
}

export function endpoint(lab: Lab, service: keyof typeof PORTS, path = ''): string {
  return `http://${lab.options.address}:${PORTS[service]}${path}`;
}

export function has(lab: Lab, service: LabOptions['services'][number]): boolean {
  return lab.options.services.includes(service);
}
