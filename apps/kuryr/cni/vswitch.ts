import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { LIMITS } from './limits.ts';
import type { Operation, Ovsdb } from './ovsdb.ts';

/** Whose port it is: `external_ids` that say so. The value is the name of the node. */
export const MARK = 'superfluidity-kuryr';

export interface VSwitchPort {
  readonly bridge: string;
  /** The device, and the name of port and interface. */
  readonly device: string;
  /** What tells agents which port of the cloud it is: ovs-vswitchd.conf.db(5), `external_ids`. */
  readonly ids: Readonly<Record<string, string>>;
  /** An access port of this VLAN. */
  readonly tag?: number;
}

const map = (values: Readonly<Record<string, string>>) => ['map', Object.entries(values)] as const;
/** ovs-vswitchd counts this up to the number that `next_cfg` had, when it has done what it says there. */
const increase: Operation = { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] };

/** Ports of Open vSwitch on this node. */
export class VSwitch {
  readonly #ovsdb: Ovsdb;

  constructor(ovsdb: Ovsdb) {
    this.#ovsdb = ovsdb;
  }

  /** Resolves when ovs-vswitchd has opened the device. `isUserSpace`: packets are handled by that process. */
  async addPort(port: VSwitchPort, signal: AbortSignal): Promise<{ readonly isUserSpace: boolean }> {
    const { bridge, device, ids, tag } = port;
    const doing = `add port ${device} to bridge ${bridge}`;
    const refuse = (reason: string) => new SuperfluidityError('SF-CNI-OVSDB', { doing, reason });
    const named = [['name', '==', bridge]];
    const [found] = await this.#ovsdb
      .transact(
        doing,
        [
          { op: 'select', table: 'Bridge', where: named, columns: ['datapath_type'] },
          // Refused where there is no such bridge: then nothing of this is done.
          {
            op: 'wait',
            timeout: 0,
            table: 'Bridge',
            where: named,
            columns: ['name'],
            until: '==',
            rows: [{ name: bridge }],
          },
          {
            op: 'insert',
            table: 'Interface',
            'uuid-name': 'interface',
            row: { name: device, external_ids: map(ids) },
          },
          {
            op: 'insert',
            table: 'Port',
            'uuid-name': 'port',
            row: {
              name: device,
              interfaces: ['named-uuid', 'interface'],
              external_ids: map({ [MARK]: ids[MARK]! }),
              ...(tag === undefined ? {} : { tag }),
            },
          },
          { op: 'mutate', table: 'Bridge', where: named, mutations: [['ports', 'insert', ['named-uuid', 'port']]] },
          increase,
        ],
        signal,
      )
      .catch((error: unknown) => {
        if (error instanceof SuperfluidityError && error.details.reason.startsWith('timed out'))
          throw refuse(`there is no bridge ${bridge}`);
        throw error;
      });
    const interfaces = { table: 'Interface', where: [['name', '==', device]] } as const;
    const [, opened] = await this.#ovsdb.transact(
      doing,
      [
        {
          op: 'wait',
          timeout: LIMITS.openMs,
          ...interfaces,
          columns: ['ofport'],
          until: '!=',
          rows: [{ ofport: ['set', []] }],
        },
        { op: 'select', ...interfaces, columns: ['ofport', 'error'] },
      ],
      signal,
    );
    const row = opened?.rows?.[0];
    if (typeof row?.['ofport'] !== 'number' || row['ofport'] < 0)
      throw refuse(typeof row?.['error'] === 'string' ? row['error'] : 'ovs-vswitchd cannot open the device');
    return { isUserSpace: found?.rows?.[0]?.['datapath_type'] === 'netdev' };
  }

  /** Idempotent, whichever bridges have them. */
  async removePorts(devices: readonly string[], signal: AbortSignal): Promise<void> {
    if (devices.length === 0) return;
    const doing = `remove ports ${devices.join(', ').slice(0, 200)}`;
    const found = await this.#ovsdb.transact(
      doing,
      devices.map((device) => ({ op: 'select', table: 'Port', where: [['name', '==', device]], columns: ['_uuid'] })),
      signal,
    );
    const ports = found.flatMap(({ rows = [] }) => rows.map((row) => row['_uuid']));
    if (ports.length === 0) return;
    // Rows that no bridge refers to are removed by the database itself.
    const remove = [['ports', 'delete', ['set', ports]]];
    await this.#ovsdb.transact(
      doing,
      [{ op: 'mutate', table: 'Bridge', where: [], mutations: remove }, increase],
      signal,
    );
  }

  /** Names of the ports that this node's daemon made. */
  async ownPorts(node: string, signal: AbortSignal): Promise<readonly string[]> {
    const where = [['external_ids', 'includes', map({ [MARK]: node })]];
    const [found] = await this.#ovsdb.transact(
      'list ports of pods',
      [{ op: 'select', table: 'Port', where, columns: ['name'] }],
      signal,
    );
    return (found?.rows ?? []).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  }

  /** What of a port is not as it was made; undefined where all is. */
  async difference(bridge: string, device: string, signal: AbortSignal): Promise<string | undefined> {
    const [ports, interfaces, bridges] = await this.#ovsdb.transact(
      `look at port ${device}`,
      [
        { op: 'select', table: 'Port', where: [['name', '==', device]], columns: ['_uuid'] },
        { op: 'select', table: 'Interface', where: [['name', '==', device]], columns: ['ofport', 'error'] },
        { op: 'select', table: 'Bridge', where: [['name', '==', bridge]], columns: ['ports'] },
      ],
      signal,
    );
    const uuid = ports?.rows?.[0]?.['_uuid'];
    if (uuid === undefined) return `Open vSwitch has no port ${device}`;
    if (!JSON.stringify(bridges?.rows ?? []).includes(JSON.stringify(uuid)))
      return `port ${device} is not in bridge ${bridge}`;
    const { ofport, error } = interfaces?.rows?.[0] ?? {};
    if (typeof ofport !== 'number' || ofport < 0) return `port ${device} does not work: ${String(error)}`;
    return undefined;
  }

  /** Rejects where the database does not answer. */
  async ping(signal: AbortSignal): Promise<void> {
    await this.#ovsdb.transact(
      'ask whether it is there',
      [{ op: 'select', table: 'Open_vSwitch', where: [], columns: ['cur_cfg'] }],
      signal,
    );
  }
}
