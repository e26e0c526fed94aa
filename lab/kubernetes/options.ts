import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';

/** What a user may ask for. Kept in the folder of the laboratory, so that `down`, `status` and the next `up` know it. */
export interface LabOptions {
  /** How many nodes there are. */
  readonly nodes: number;
  /** What connects pods. */
  readonly network: (typeof NETWORKS)[number];
  /** Where the API server answers to this machine. */
  readonly address: string;
  readonly port: number;
}

/** `bridge`: a bridge on each node and routes between them, by the plugins of containernetworking. `none`: whoever comes. */
export const NETWORKS = ['bridge', 'none'] as const;

const NODES_MAX = 9;
const LOOPBACK = /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

export function defaultOptions(): LabOptions {
  return { nodes: 2, network: 'bridge', address: '127.0.0.1', port: 6443 };
}

export function checkOptions(options: LabOptions): LabOptions {
  const refuse = (reason: string): never => {
    throw new SuperfluidityError('SF-LAB-OPTION', { doing: 'read the options of the laboratory', reason });
  };
  const { nodes, network, address, port } = options;
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > NODES_MAX) refuse(`there are 1 to ${NODES_MAX} nodes`);
  if (!NETWORKS.includes(network)) refuse(`the network is one of ${NETWORKS.join(', ')}, not '${network}'`);
  if (!LOOPBACK.test(address)) refuse(`'${address}' is no address of 127.0.0.0/8`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) refuse('the port is a number from 1 to 65535');
  return options;
}
