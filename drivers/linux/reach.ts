import { SuperfluidityError } from '@superfluidity/core';
import {
  addRoute,
  changeLink,
  createVeth,
  deleteLink,
  deleteRoute,
  errnoOf,
  linkIndex,
  listLinks,
  listRoutes,
  MAIN_TABLE,
  replaceAddress,
  replaceNeighbour,
  replaceRoute,
  tolerating,
  transact,
  writeSysctls,
} from '@superfluidity/netlink';
import { machineDevice, type Scope } from '@superfluidity/router';

/**
 * The wire by which this machine reaches the units of a site: from the namespace of the control plane to the router of the site,
 * with a route for each network. To units the machine is somebody outside: it gets to those whose rules let everybody in. They
 * begin nothing with it, since the filter of their host lets packets out to what is in their own networks only.
 */

/** Of a part of the link-local prefix that no port's number becomes an address of (wiring.ts). */
const MACHINE = { address: '169.254.255.1', mac: '02:53:46:03:00:01' } as const;
const ROUTER = { address: '169.254.255.2', mac: '02:53:46:03:00:02' } as const;
/** The router's end. */
const FAR = 'machine';
const MTU = 1500;
const GONE = ['ENODEV', 'ESRCH', 'ENOENT'];

/** Makes the wire, or what lacks of it; or takes it away. */
export function openReach(scope: Scope, wanted: boolean, prefixes: readonly string[]): void {
  const name = machineDevice(scope);
  const isThere = listLinks(undefined).some((link) => link.name === name);
  if (!wanted) {
    if (isThere) tolerating(GONE, () => transact(undefined, [deleteLink(name)]));
    return;
  }
  if (!isThere) {
    const far = { name: FAR, mac: ROUTER.mac, mtu: MTU, namespace: scope.router };
    transact(undefined, [createVeth({ name, mac: MACHINE.mac, mtu: MTU, up: true }, far)]);
  }
  writeSysctls(undefined, { [`net.ipv6.conf.${name}.disable_ipv6`]: 1 });
  const index = linkIndex(undefined, name);
  transact(undefined, [replaceAddress(index, { address: `${MACHINE.address}/32` }), replaceNeighbour(index, ROUTER)]);
  const far = linkIndex(scope.router, FAR);
  transact(scope.router, [
    changeLink(far, { up: true }),
    replaceNeighbour(far, MACHINE),
    replaceRoute({ destination: `${MACHINE.address}/32`, via: MACHINE.address, device: far, onlink: true }),
  ]);
  for (const prefix of prefixes) routeTo(scope, 'add', prefix);
}

/** A network has come, or goes. Where the machine has a route of its own to that prefix, it keeps it: `SF-SITE-CONFLICT`. */
export function routeTo(scope: Scope, verb: 'add' | 'delete', prefix: string): void {
  const name = machineDevice(scope);
  const index = listLinks(undefined).find((link) => link.name === name)?.index;
  if (index === undefined) return;
  if (verb === 'delete') {
    tolerating(GONE, () => transact(undefined, [deleteRoute({ destination: prefix, device: index })]));
    return;
  }
  const route = { destination: prefix, via: ROUTER.address, device: index, onlink: true, source: MACHINE.address };
  try {
    transact(undefined, [addRoute(route)]);
  } catch (cause) {
    const known = listRoutes(undefined, { family: 4, table: MAIN_TABLE });
    const isOurs = known.some((one) => one.destination === prefix && one.device === index);
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    if (!isOurs) throw taken(prefix, cause);
  }
}

function taken(prefix: string, cause: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-CONFLICT', {
    doing: `route ${prefix} to the site`,
    reason: 'this machine has another way to that prefix',
    hint: 'Give the network another prefix, or leave `reachable` out of the configuration of the site.',
    cause,
  });
}
