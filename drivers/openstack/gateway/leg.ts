import {
  changeLink,
  createMacvlan,
  createVeth,
  deleteLink,
  deleteNamespace,
  deleteRoute,
  errnoOf,
  getLink,
  type Link,
  listRoutes,
  namespaceExists,
  replaceAddress,
  replaceRoute,
  tolerating,
  transact,
  transactTolerating,
  writeSysctls,
} from '@superfluidity/netlink';
import { shortName } from '@superfluidity/core';
import {
  applyRuleset,
  buildRouter,
  routerSid,
  type Scope,
  STEERED,
  STEERING,
  TABLE,
  UPLINK_INDEX,
} from '@superfluidity/router';
import type { GatewayConfig } from '../config.ts';
import { portMac } from '../marks.ts';

/**
 * The gateway of a site on this machine: a router as sites of kind linux have one, with a leg in the external network of the
 * cloud. What comes in by the leg is from a network that others are in: it has to be from an address of the cloud's part of a
 * service, or from the service address of a chain, and it is IPv4. The gateway itself answers to ping there, and to nothing else.
 */

export const LEG = 'cloud';
/** SIDs need a device that speaks IPv6, and none that leads anywhere: one end of a wire whose other end is beside it. */
const SIDS = { index: UPLINK_INDEX + 1, peer: UPLINK_INDEX + 2 } as const;
const GONE = ['ESRCH', 'ENOENT', 'ENODEV'];

/** A network of a service in the cloud, and the address at which its router is in the external network. */
export interface Behind {
  readonly prefix: string;
  readonly router: string;
}

/** A port of the cloud at which packets of chains leave their tunnel. */
export interface End {
  readonly sid: string;
  /** As `Behind`. */
  readonly router: string;
}

/** Who may open flows of a chain from the cloud: the address of its first unit, and the service address. */
export interface Opener {
  readonly source: string;
  readonly destination: string;
}

export interface Standing {
  /** Something was made: what stood on it has to be put there again. */
  readonly isNew: boolean;
  /** Why there is no leg, if there is none. */
  readonly missing?: string;
}

/** The router and its leg, found or made; made anew where it is not of this configuration. */
export async function ensureGateway(scope: Scope, config: GatewayConfig, isSame: boolean): Promise<Standing> {
  const isThere = isSame && namespaceExists(scope.router) && findLink(scope.router, 'sids') !== undefined;
  if (!isThere) {
    deleteNamespace(scope.router);
    buildRouter(scope);
    writeSysctls(scope.router, STEERED);
    await applyRuleset(scope.router, tableText(config));
    // Last, for it tells that the router is whole.
    transact(scope.router, [
      createVeth({ name: 'sids', index: SIDS.index, up: true }, { name: 'sids-peer', index: SIDS.peer }),
      changeLink(SIDS.peer, { up: true }),
      replaceRoute({ destination: routerSid(scope), device: SIDS.index, encap: { kind: 'seg6local', action: 'End' } }),
    ]);
  }
  if (findLink(scope.router, LEG) !== undefined) return { isNew: !isThere };
  const missing = missingFor(config);
  if (missing !== undefined) return { isNew: !isThere, missing };
  makeLeg(scope, config);
  return { isNew: true };
}

/** Why the gateway cannot be, or undefined. */
export function missingFor({ device }: GatewayConfig): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'needs root';
  return findLink(undefined, device) === undefined ? `this machine has no device ${device}` : undefined;
}

function makeLeg(scope: Scope, config: GatewayConfig): void {
  const { index, kind, mtu } = findLink(undefined, config.device)!;
  const leg = { name: LEG, index: UPLINK_INDEX, mac: portMac(`gateway ${scope.siteId}`), mtu, namespace: scope.router };
  if (kind === 'bridge') {
    const name = shortName('sfg-', scope.siteId);
    // The kernel takes a namespace apart in the background: the end of an earlier leg may still be there.
    tolerating(['ENODEV'], () => transact(undefined, [deleteLink(name)]));
    transact(undefined, [createVeth({ name, mtu, master: index, up: true }, leg)]);
  } else transact(undefined, [createMacvlan(index, leg)]);
  writeSysctls(scope.router, { [`net.ipv6.conf.${LEG}.disable_ipv6`]: 1 });
  transact(scope.router, [
    changeLink(UPLINK_INDEX, { up: true }),
    replaceAddress(UPLINK_INDEX, { address: config.address }),
  ]);
}

/** Routes to the networks in the cloud, and SIDs of the ends of chains there: these and no others. Idempotent. */
export function setRoutes({ router }: Scope, behind: readonly Behind[], ends: readonly End[]): void {
  const wanted = [
    // Next hops without a gateway of their own would be looked up by the packet's destination, which a service address is.
    ...behind.map((one) => ({ destination: `${one.router}/32`, via: one.router, onlink: true })),
    ...behind.map((one) => ({ destination: one.prefix, via: one.router })),
  ].map((route) => ({ ...route, device: UPLINK_INDEX }));
  const sids = ends.map(({ sid, router: via }) => ({
    destination: `${sid}/128`,
    device: SIDS.index,
    encap: { kind: 'seg6local', action: 'End.DX4', via } as const,
  }));
  const stays = new Set([...wanted, ...sids].map(({ destination }) => destination));
  const there = [...listRoutes(router, { family: 4, table: MAIN }), ...listRoutes(router, { family: 6, table: MAIN })];
  const stale = there.filter(
    ({ destination, via, device, encap }) =>
      !stays.has(destination) &&
      ((device === UPLINK_INDEX && via !== undefined) ||
        (device === SIDS.index && encap?.kind === 'seg6local' && encap.action === 'End.DX4')),
  );
  transactTolerating(
    router,
    GONE,
    stale.map(({ destination, device, via }) =>
      deleteRoute({ destination, ...(device === undefined ? {} : { device }), ...(via === undefined ? {} : { via }) }),
    ),
  );
  transact(router, [...wanted, ...sids].map(replaceRoute));
}

/** Whose packets may come in by the leg. */
export async function setSources(scope: Scope, behind: readonly Behind[], openers: readonly Opener[]): Promise<void> {
  const fill = (set: string, elements: readonly string[]) =>
    `flush set ip ${TABLE} ${set}\n${
      elements.length === 0 ? '' : `add element ip ${TABLE} ${set} { ${[...new Set(elements)].join(', ')} }\n`
    }`;
  const text = [
    fill(
      'behind',
      behind.map(({ prefix }) => prefix),
    ),
    fill(
      'openers',
      openers.map(({ source, destination }) => `${source} . ${destination}`),
    ),
  ];
  await applyRuleset(scope.router, text.join(''));
}

const MAIN = 254;

/** Priority -160 is after connection tracking (-200) and before steering (-149). */
function tableText({ address }: GatewayConfig): string {
  return `table ip ${TABLE} {
${STEERING}
  set behind { type ipv4_addr; flags interval; }
  set openers { type ipv4_addr . ipv4_addr; }
  chain arriving {
    type filter hook prerouting priority -160; policy accept;
    iifname != "${LEG}" accept
    ct state related accept
    ip daddr ${address.split('/')[0]} accept
    ip saddr != @behind ip saddr != @chained drop
    ip daddr @chained ip saddr . ip daddr != @openers drop
  }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname != "${LEG}" accept
    ct state established,related accept
    icmp type echo-request accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "${LEG}" oifname "${LEG}" drop
    ct state established,related accept
    iifname "${LEG}" accept
    ip daddr @behind accept
    ip daddr @chained accept
  }
}
`;
}

function findLink(namespace: string | undefined, name: string): Link | undefined {
  try {
    return getLink(namespace, name);
  } catch (error) {
    if (errnoOf(error) === 'ENODEV') return undefined;
    throw error;
  }
}
