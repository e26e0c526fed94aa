import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as paths from '../paths.ts';
import { labFolder, pathsIn, writeFile } from '../paths.ts';
import { checkOptions, defaultOptions, type LabOptions } from './options.ts';

/** A laboratory of Kubernetes on this machine: one folder, one port of the loopback, network namespaces of its own. */
export interface Lab {
  readonly options: LabOptions;
  readonly paths: LabPaths;
  /** Folder of the programs of Kubernetes. */
  readonly bin: string;
}

export interface LabPaths extends paths.LabPaths {
  /** Keys and certificates. */
  readonly pki: string;
  /** Of the operator, who may do everything. */
  readonly adminConfig: string;
  /** Of an ordinary user, who has one namespace and sees the nodes. */
  readonly userConfig: string;
}

export function labPaths(folder: string = labFolder('kubernetes')): LabPaths {
  const common = pathsIn(folder);
  return {
    ...common,
    pki: join(common.var, 'pki'),
    adminConfig: join(folder, 'admin.kubeconfig'),
    userConfig: join(folder, 'user.kubeconfig'),
  };
}

/** What the laboratory in this folder was last started with. */
export function savedOptions(labPaths: LabPaths): LabOptions | undefined {
  if (!existsSync(labPaths.options)) return undefined;
  const saved = JSON.parse(readFileSync(labPaths.options, 'utf8')) as Partial<LabOptions>;
  return checkOptions({ ...defaultOptions(), ...saved });
}

export function saveOptions(labPaths: LabPaths, options: LabOptions): void {
  writeFile(labPaths.options, `${JSON.stringify(options, undefined, 2)}\n`);
}

/** What the ordinary user is called, and its namespace. */
export const USER = 'demo';

/** The control plane and the nodes are in namespaces, so that these addresses are nobody else's. */
export const ADDRESSES = {
  /** Of the control plane, on the network of the nodes. */
  controlPlane: '10.97.0.1',
  api: 6443,
  services: '10.96.0.0/16',
  /** The first of the services is the API server itself. */
  apiService: '10.96.0.1',
  pods: '10.244.0.0/16',
} as const;

export interface LabNode {
  readonly name: string;
  /** From 1 on. */
  readonly number: number;
  readonly address: string;
  readonly podPrefix: string;
  /** Network namespace. */
  readonly namespace: string;
  /** Under which all of its pods are, in each hierarchy. */
  readonly cgroup: string;
  readonly containerd: string;
  /** Where its runtime looks for networks, and where for plugins if somebody else brings the network. */
  readonly cniConf: string;
  readonly cniBin: string;
}

export function nodesOf(lab: Pick<Lab, 'options' | 'paths'>): readonly LabNode[] {
  return Array.from({ length: lab.options.nodes }, (_, index) => {
    const number = index + 1;
    const name = `node${number}`;
    return {
      name,
      number,
      address: `10.97.0.${10 + number}`,
      podPrefix: `10.244.${number}.0/24`,
      namespace: `${namespaceOf(lab.paths)}-${name}`,
      cgroup: `${cgroupOf(lab.paths)}/${name}`,
      containerd: join(lab.paths.run, name, 'containerd.sock'),
      cniConf: join(lab.paths.etc, name, 'cni'),
      cniBin: join(lab.paths.var, name, 'cni-bin'),
    };
  });
}

/** Names of namespaces and of control groups are one for the whole machine. */
function ownName(labPaths: LabPaths): string {
  return createHash('sha256').update(labPaths.folder).digest('hex').slice(0, 6);
}

/** Of the control plane. */
export function namespaceOf(labPaths: LabPaths): string {
  return `lab-kube-${ownName(labPaths)}`;
}

export function cgroupOf(labPaths: LabPaths): string {
  return `/superfluidity-lab-${ownName(labPaths)}`;
}

/** `ip netns exec` would hide from it what is mounted later. */
export function inNamespace(namespace: string, argv: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...argv];
}

export function kubectl(lab: Lab, ...args: readonly string[]): readonly [string, ...string[]] {
  return [join(lab.bin, 'kubectl'), '--kubeconfig', lab.paths.adminConfig, '--request-timeout=20s', ...args];
}
