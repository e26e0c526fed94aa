import { isSuperfluidityError } from '@superfluidity/core';
import { parseIpv4Prefix } from '@superfluidity/model';
import { type BoxModel, type InputFile, namespaceModel } from '@superfluidity/verify';
import { numberOf } from './addresses.ts';
import type { PlanePort, PlaneUnit } from './plane.ts';

/** What is known of a unit, and what is taken for granted. */
export interface UnitModel extends BoxModel {
  readonly assumptions: readonly string[];
}

/** What decides what a unit does with packets. */
export interface UnitInside
  extends Pick<PlaneUnit, 'name' | 'environment' | 'forwards' | 'program' | 'translates' | 'at'> {
  readonly ports: readonly InsidePort[];
}

/** With a MAC address, frames for other stations are not taken: `02:00:00:00:00:01`. */
export type InsidePort = Pick<PlanePort, 'interface' | 'address' | 'supernet' | 'serviceAddresses'> & {
  readonly mac?: string;
};

/** Environments in which the kernel of a Linux namespace, with the unit's program of nft, is what packets meet. */
const NAMESPACES: readonly string[] = ['container', 'nft', 'process', 'pod'];

/**
 * A unit as a Linux network namespace: its addresses, the routes that sites give it, its rule set. A virtual machine is
 * taken for one, too. Whatever else there is that could treat packets otherwise is an assumption, or makes the unit unknown.
 */
export function unitModel(unit: UnitInside): UnitModel {
  const { name, environment, forwards, program } = unit;
  const isLinux = NAMESPACES.includes(environment);
  if (!isLinux && environment !== 'vm') return unknownUnit(unit, `what the ${environment} ${name} does with packets`);
  const assumptions: string[] = [];
  if (environment === 'vm') {
    assumptions.push(
      forwards
        ? `the machine ${name} forwards packets unchanged`
        : `the machine ${name} takes what is for its addresses and forwards nothing`,
    );
  } else if (forwards && environment !== 'nft') {
    assumptions.push(
      `in ${name} the kernel forwards${program === undefined ? '' : ' by its rule set'}, its programs do not`,
    );
  }
  try {
    return { ...namespaceModel(name, rulesOf(unit), boxOf(unit)), assumptions };
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-VERIFY-INPUT')) throw error;
    return unknownUnit(unit, `what ${name} does: its program cannot be read: ${error.details.reason}`);
  }
}

function unknownUnit({ name, environment }: UnitInside, why: string): UnitModel {
  return { box: { name, kind: environment }, programs: new Map(), unknown: new Map([[name, why]]), assumptions: [] };
}

function rulesOf({ name, program, translates, environment, at }: UnitInside): readonly InputFile[] {
  const rules: InputFile[] = [];
  if (program !== undefined && environment !== 'vm') {
    // Lines are counted in the descriptor, where people find them.
    rules.push({ path: at?.file ?? `${name}.nft`, text: '\n'.repeat((at?.line ?? 1) - 1) + program });
  }
  if (translates !== undefined && !(program ?? '').includes(' nat ')) {
    const rule = `ip saddr ${translates} masquerade`;
    rules.push({
      path: `${name}: translates ${translates}`,
      text: `table ip translates {\n chain out {\n type nat hook postrouting priority srcnat; policy accept;\n ${rule}\n }\n}\n`,
    });
  }
  return rules;
}

/** As sites wire it: the first port leads everywhere, the others to their own network. */
function boxOf({ ports, forwards }: UnitInside): Parameters<typeof namespaceModel>[2] {
  const serviceAddresses = [...new Set(ports.flatMap((port) => port.serviceAddresses))];
  const address = (text: string) => ({ family: 'ip', address: numberOf(text), length: 32 }) as const;
  return {
    forwarding: forwards,
    // None is listed: its frames are for whoever is at the other end of the wire.
    neighbours: [],
    interfaces: [
      ...ports.map((port) => ({
        name: port.interface,
        addresses: [address(port.address)],
        ...(port.mac === undefined ? {} : { mac: BigInt(`0x${port.mac.replaceAll(':', '')}`) }),
      })),
      { name: 'lo', addresses: [{ family: 'ip', address: 0x7f00_0001n, length: 8 }, ...serviceAddresses.map(address)] },
    ],
    routes: ports.map((port, i) => {
      const prefix = i === 0 ? undefined : parseIpv4Prefix(port.supernet);
      return {
        family: 'ip',
        address: BigInt(prefix?.base ?? 0),
        length: prefix?.length ?? 0,
        interfaces: [port.interface],
      } as const;
    }),
  };
}
