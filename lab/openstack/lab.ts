import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as paths from '../paths.ts';
import { labFolder, pathsIn, writeFile } from '../paths.ts';
import { checkOptions, defaultOptions, type LabOptions } from './options.ts';

/** A laboratory on this machine: one folder, one address, one password. */
export interface Lab {
  readonly options: LabOptions;
  readonly paths: LabPaths;
  readonly password: string;
}

export interface LabPaths extends paths.LabPaths {
  readonly password: string;
  readonly cloudsYaml: string;
  readonly openrc: string;
}

export function labPaths(folder: string = labFolder('openstack')): LabPaths {
  return {
    ...pathsIn(folder),
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
