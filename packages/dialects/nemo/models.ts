import type { ParameterType } from './syntax.ts';

/** What a type of nodes is to us. */
export type Role = 'function' | 'network' | 'external' | 'chain';

export interface BuiltIn {
  readonly role: Role;
  readonly parameters: ReadonlyMap<string, ParameterType>;
  readonly required: readonly string[];
}

/** The definitions with which OpenDaylight NEMO starts (nemo-odl). */
const definitions: readonly (readonly [string, Role, string])[] = [
  ['host', 'function', 'name location mac-address ip-address'],
  ['l2-group', 'network', 'ip-prefix gateway-ip location sub-nodes'],
  ['l3-group', 'network', 'ip-prefix'],
  ['ext-group', 'external', 'location* ac-info-network* ac-info-protocol* ip-prefix'],
  ['chain-group', 'chain', ''],
  ['fw', 'function', 'location* operating-mode*'],
  ['lb', 'function', 'location* operating-mode*'],
  ['cache', 'function', 'location* operating-mode*'],
  // Names of D6.1 annex B1 for the same.
  ['firewall', 'function', 'location* operating-mode*'],
  ['loadbalancer', 'function', 'location* operating-mode*'],
];

export const builtIns: ReadonlyMap<string, BuiltIn> = new Map(
  definitions.map(([name, role, text]) => {
    const words = text.split(' ').filter((word) => word !== '');
    const parameters = new Map(words.map((word) => [word.replace('*', ''), 'string' as const]));
    const required = words.filter((word) => word.endsWith('*')).map((word) => word.slice(0, -1));
    return [name, { role, parameters, required }];
  }),
);

export const connectionTypes = ['p2p', 'p2mp', 'mesh', 'chain'] as const;

/** The properties by which our writer says how a unit runs. A model of another author that has them means the same. */
export const unitProperties = {
  environment: 'string',
  image: 'string',
  command: 'string',
  program: 'string',
  files: 'string',
  forwards: 'string',
  cpu: 'string',
  'memory-mib': 'string',
  'storage-mib': 'string',
  'latency-max-ms': 'string',
  /** Of the only port, as of a `host` in OpenDaylight. */
  'mac-address': 'string',
} as const satisfies Readonly<Record<string, ParameterType>>;
