import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalJson, type Logger, shortName } from '@superfluidity/core';
import type { NetworkSpec, SiteLinkSpec } from '@superfluidity/fabric';
import {
  addAddress,
  changeLink,
  createNamespace,
  createVeth,
  createVxlan,
  deleteLink,
  deleteNamespace,
  deleteRoute,
  disableOffloads,
  errnoOf,
  limitBandwidth,
  linkIndex,
  namespaceExists,
  replaceFile,
  replaceNeighbour,
  replaceRoute,
  tolerating,
  transact,
  transactTolerating,
  writeSysctls,
} from '@superfluidity/netlink';
import { type LinkEmulator, linkEmulator } from './emulator.ts';
import { isAlive, type ProcessRef, processRef } from './processes.ts';
import { killInside } from './processes-inside.ts';
import { Records } from './records.ts';
import { startLinkRelay } from './link-emulator.ts';
import { delayPackets } from './netem.ts';
import { locatorPrefix, RUN_FOLDER, type Scope, scopeOf } from './scope.ts';
import { INFRASTRUCTURE_MTU, LINK_IPV4, LINK_IPV6 } from './router.ts';

/**
 * Links to other sites of this machine, of whatever kind: VXLAN (RFC 7348) between the two routers, through a namespace of
 * its own in which packets become late and some are lost: by netem as they leave it where the kernel has that, else by a
 * relay. Both sites keep a record; whoever is asked while both are there makes the whole link. Records are read from their
 * files every time, because the other site writes them too. What each site has behind its router it writes down as `networks`.
 */
interface LinkRecord {
  readonly spec: SiteLinkSpec;
  /** Absent until both ends are there. */
  readonly made?: MadeLink;
}

interface MadeLink {
  /** Ids of the sites: `spec.a` and `spec.b` are names. */
  readonly a: string;
  readonly b: string;
  readonly wan: string;
  /** Gives the link its devices and addresses; unique in both routers. */
  readonly number: number;
  readonly emulator: LinkEmulator;
  readonly relay?: ProcessRef;
}

/** What a site tells others of itself. */
export interface SiteRecord {
  readonly id: string;
  readonly name: string;
  readonly stateFolder: string;
  /** The control plane that was in charge last. */
  readonly process?: ProcessRef;
}

const NUMBERS_MAX = 8192;
const DEVICE_INDEX_MIN = 1000;
const TUNNEL_OVERHEAD = 100;
const VXLAN_PORT = 4789;
const ABSENT = ['ENODEV', 'ESRCH', 'ENOENT'];

/** Both ends may be asked at once, by the same control plane. */
const turns = new Map<string, Promise<unknown>>();

function alone<T>(linkId: string, work: () => Promise<T>): Promise<T> {
  const result = (turns.get(linkId) ?? Promise.resolve()).then(work);
  const settled: Promise<unknown> = result
    .catch(() => {})
    .then(() => turns.get(linkId) === settled && turns.delete(linkId));
  turns.set(linkId, settled);
  return result;
}

export class Links {
  readonly #scope: Scope;
  readonly #site: SiteRecord;
  readonly #log: Logger;

  constructor(scope: Scope, site: SiteRecord, log: Logger) {
    this.#scope = scope;
    this.#site = site;
    this.#log = log;
  }

  ensure(spec: SiteLinkSpec): Promise<void> {
    return alone(spec.id, async () => {
      const records = this.#records(this.#scope);
      const known = records.get(spec.id);
      const same = known !== undefined && canonicalJson(known.spec) === canonicalJson(spec);
      if (same && known.made !== undefined && this.#works(known.made)) return this.#routes(known.made);
      if (known?.made !== undefined) await this.#unmake(spec.id, known.made);
      const peer = this.#peer(spec);
      if (peer === undefined || !namespaceExists(scopeOf(peer.id).router)) return records.put(spec.id, { spec });
      const [a, b] = spec.a === this.#site.name ? [this.#site.id, peer.id] : [peer.id, this.#site.id];
      await this.#make(spec, a, b);
    });
  }

  remove(id: string): Promise<void> {
    return alone(id, async () => {
      const records = this.#records(this.#scope);
      const known = records.get(id);
      if (known?.made !== undefined) await this.#unmake(id, known.made);
      records.delete(id);
    });
  }

  /** Tells the other ends which of our prefixes has come or gone. */
  announce(verb: 'add' | 'delete', prefix: string): void {
    for (const { made } of this.#records(this.#scope).values()) {
      if (made === undefined) continue;
      const other = scopeOf(made.a === this.#site.id ? made.b : made.a);
      if (!namespaceExists(other.router)) continue;
      transactTolerating(other.router, ABSENT, [routeOver(made, verb, prefix)]);
    }
  }

  /** Ids of links that this site takes part in. */
  ids(): readonly string[] {
    return this.#records(this.#scope)
      .entries()
      .map(([id]) => id);
  }

  /** What the sites have to which there are links. */
  farNetworks(): readonly NetworkSpec[] {
    return this.#records(this.#scope)
      .values()
      .flatMap(({ made }) => (made === undefined ? [] : this.#networksOf(made.a === this.#site.id ? made.b : made.a)));
  }

  /** From this router's devices to those of the other routers. */
  wires(): readonly { readonly from: string; readonly to: string }[] {
    return this.#records(this.#scope)
      .values()
      .flatMap(({ made }) => {
        if (made === undefined) return [];
        const other = scopeOf(made.a === this.#site.id ? made.b : made.a);
        return [{ from: `${this.#scope.router}:${tunnelName(made)}`, to: `${other.router}:${tunnelName(made)}` }];
      });
  }

  /** A relay that ended is started again: without it the link is dead. */
  async look(): Promise<void> {
    for (const [id, { spec, made }] of this.#records(this.#scope).entries()) {
      // One of the two sites is enough; both have the record.
      if (made === undefined || made.a !== this.#site.id || this.#works(made)) continue;
      this.#log.warn({ link: id }, 'a link was broken and is made again');
      await this.ensure(spec);
    }
  }

  #records(scope: Scope): Records<LinkRecord> {
    return new Records(join(scope.folder, 'links'), this.#log);
  }

  #works(made: MadeLink): boolean {
    const carried = made.emulator === 'netem' || (made.relay !== undefined && isAlive(made.relay));
    // A router that was made anew has its name, and none of its devices.
    const isJoined = ({ router }: LinkEnd) => namespaceExists(router) && hasDevice(router, tunnelName(made));
    return carried && namespaceExists(made.wan) && endsOf(made).every(isJoined);
  }

  /** By its id, or by its name where that is all that the caller knows: of those that are nearest to us the only one. */
  #peer(spec: SiteLinkSpec): SiteRecord | undefined {
    const end = spec.a === this.#site.name ? 'b' : 'a';
    const others = listSites().filter((site) => site.id !== this.#site.id);
    if (spec.siteIds !== undefined) return others.find((site) => site.id === spec.siteIds?.[end]);
    const named = others.filter((site) => site.name === spec[end]);
    const { stateFolder: own } = this.#site;
    const ours = named.filter(({ stateFolder }) => stateFolder === own);
    const beside = named.filter(({ stateFolder }) => dirname(stateFolder) === dirname(own));
    const [nearest = []] = [ours, beside, named].filter(({ length }) => length > 0);
    // Others on this machine may have one of the name: of two it is not guessed.
    return nearest.length === 1 ? nearest[0] : undefined;
  }

  #number(a: Scope, b: Scope): number {
    const used = new Set(
      [a, b].flatMap((scope) =>
        this.#records(scope)
          .values()
          .flatMap(({ made }) => made?.number ?? []),
      ),
    );
    for (let number = 0; number < NUMBERS_MAX; number += 1) if (!used.has(number)) return number;
    throw new RangeError('a site has too many links');
  }

  #put(id: string, record: LinkRecord): void {
    for (const siteId of [record.made!.a, record.made!.b]) this.#records(scopeOf(siteId)).put(id, record);
  }

  async #make(spec: SiteLinkSpec, aId: string, bId: string): Promise<void> {
    const [a, b] = [scopeOf(aId), scopeOf(bId)];
    const wan = `${a.prefix}w-${shortName('', spec.id)}`;
    const made: MadeLink = { a: aId, b: bId, wan, number: this.#number(a, b), emulator: linkEmulator() };
    this.#put(spec.id, { spec, made });
    try {
      createNamespace(wan);
      transact(wan, [changeLink(1, { up: true })]);
      const ends = endsOf(made);
      const [first, second] = ends;
      joinEnd(first, second, made, spec);
      joinEnd(second, first, made, spec);
      const shape = { delayMs: spec.latencyMs, jitterMs: spec.jitterMs, loss: spec.loss };
      if (made.emulator === 'netem') {
        writeSysctls(wan, { 'net.ipv4.ip_forward': 1 });
        transact(
          wan,
          ends.map(({ side }) => delayPackets(WAN_INDEX[side], shape)),
        );
        return this.#routes(made);
      }
      // Beside the records, not among them: a folder that goes with the site.
      const logFolder = join(a.folder, 'relays');
      mkdirSync(logFolder, { recursive: true, mode: 0o700 });
      const logPath = join(logFolder, shortName('', spec.id));
      rmSync(logPath, { force: true });
      const relay = await startLinkRelay({
        namespace: wan,
        ...shape,
        a: { listen: `${first.wanAddress}:${VXLAN_PORT}`, remote: `${first.address}:${VXLAN_PORT}` },
        b: { listen: `${second.wanAddress}:${VXLAN_PORT}`, remote: `${second.address}:${VXLAN_PORT}` },
        logPath,
      });
      this.#put(spec.id, { spec, made: { ...made, relay } });
      this.#routes(made);
    } catch (error) {
      await this.#unmake(spec.id, made);
      throw error;
    }
  }

  /** Each router learns the networks and the segments of the other site. Idempotent. */
  #routes(made: MadeLink): void {
    for (const [here, there] of [[made.a, made.b] as const, [made.b, made.a] as const]) {
      const { router } = scopeOf(here);
      const far = scopeOf(there);
      const prefixes = [locatorPrefix(far), ...this.#networksOf(there).map(({ prefix }) => prefix)];
      transact(
        router,
        prefixes.map((prefix) => routeOver(made, 'add', prefix)),
      );
    }
  }

  #networksOf(siteId: string): readonly NetworkSpec[] {
    return new Records<NetworkSpec>(join(scopeOf(siteId).folder, 'networks'), this.#log).values();
  }

  async #unmake(id: string, made: MadeLink): Promise<void> {
    await killInside([made.wan]);
    for (const { router } of endsOf(made)) {
      if (!namespaceExists(router)) continue;
      // Routes go with the devices.
      for (const device of [tunnelName(made), underlayName(made)]) {
        tolerating(ABSENT, () => transact(router, [deleteLink(device)]));
      }
    }
    deleteNamespace(made.wan);
    rmSync(join(scopeOf(made.a).folder, 'relays', shortName('', id)), { force: true });
    for (const siteId of [made.a, made.b]) {
      const records = this.#records(scopeOf(siteId));
      const record = records.get(id);
      if (record !== undefined) records.put(id, { spec: record.spec });
    }
  }
}

interface LinkEnd {
  readonly side: 'a' | 'b';
  readonly router: string;
  /** In the router, and in the namespace between. */
  readonly address: string;
  readonly wanAddress: string;
  readonly mac: string;
  readonly peerMac: string;
}

function underlayName({ number }: MadeLink): string {
  return `u${number}`;
}

function tunnelName({ number }: MadeLink): string {
  return `x${number}`;
}

function hasDevice(namespace: string, name: string): boolean {
  try {
    linkIndex(namespace, name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENODEV') return false;
    throw error;
  }
}

function underlayIndex({ number }: MadeLink): number {
  return DEVICE_INDEX_MIN + 2 * number;
}

function tunnelIndex(made: MadeLink): number {
  return underlayIndex(made) + 1;
}

/** Addresses out of 198.18.0.0/15, which is set aside for tests between networks (RFC 2544). */
function endsOf(made: MadeLink): readonly [LinkEnd, LinkEnd] {
  const address = (last: number) => {
    const value = made.number * 8 + last;
    return `198.${18 + (value >> 16)}.${(value >> 8) & 255}.${value & 255}`;
  };
  const mac = (side: number) =>
    `02:53:46:0${side}:${(made.number >> 8).toString(16).padStart(2, '0')}:${(made.number & 255).toString(16).padStart(2, '0')}`;
  const end = (side: 'a' | 'b', own: number, wan: number, macs: readonly [string, string]): LinkEnd => ({
    side,
    router: scopeOf(side === 'a' ? made.a : made.b).router,
    address: address(own),
    wanAddress: address(wan),
    mac: macs[0],
    peerMac: macs[1],
  });
  return [end('a', 1, 2, [mac(3), mac(4)]), end('b', 5, 6, [mac(4), mac(3)])];
}

function joinEnd(end: LinkEnd, other: LinkEnd, made: MadeLink, spec: SiteLinkSpec): void {
  const underlay = underlayIndex(made);
  const tunnel = tunnelIndex(made);
  const mtu = INFRASTRUCTURE_MTU + TUNNEL_OVERHEAD;
  transact(end.router, [
    createVeth(
      { name: underlayName(made), index: underlay, mtu, up: true },
      { name: end.side, index: WAN_INDEX[end.side], mtu, namespace: made.wan },
    ),
    addAddress(underlay, { address: end.address, peer: end.wanAddress }),
    replaceRoute({ destination: `${other.address}/32`, via: end.wanAddress, device: underlay }),
    createVxlan({
      name: tunnelName(made),
      index: tunnel,
      id: made.number + 1,
      local: end.address,
      remote: made.emulator === 'netem' ? other.address : end.wanAddress,
      port: VXLAN_PORT,
      underlay,
      learning: false,
      mac: end.mac,
      mtu: INFRASTRUCTURE_MTU,
      up: true,
    }),
    replaceNeighbour(tunnel, { address: LINK_IPV4, mac: end.peerMac }),
    replaceNeighbour(tunnel, { address: LINK_IPV6, mac: end.peerMac }),
    limitBandwidth(tunnel, { rateMbps: spec.bandwidthMbps }),
  ]);
  // The relay is a program: what a device would have done to the packets later, nobody does.
  disableOffloads(end.router, tunnelName(made));
  transact(made.wan, [
    changeLink(WAN_INDEX[end.side], { up: true }),
    addAddress(WAN_INDEX[end.side], { address: end.wanAddress, peer: end.address }),
  ]);
}

const WAN_INDEX = { a: 100, b: 101 } as const;

function routeOver(made: MadeLink, verb: 'add' | 'delete', prefix: string): ReturnType<typeof replaceRoute> {
  const route = {
    destination: prefix,
    via: prefix.includes(':') ? LINK_IPV6 : LINK_IPV4,
    device: tunnelIndex(made),
    onlink: true,
  };
  return verb === 'add' ? replaceRoute(route) : deleteRoute(route);
}

/** So that other sites of the machine find this one by its name. */
export function writeSite(scope: Scope, site: SiteRecord): void {
  const path = join(scope.folder, 'site.json');
  const record: SiteRecord = { ...site, process: processRef(process.pid)! };
  replaceFile(path, JSON.stringify(record), `${path}.new`);
}

/** Every site of this kind on the machine, whoever opened it. */
export function listSites(): readonly SiteRecord[] {
  let keys: readonly string[];
  try {
    keys = readdirSync(RUN_FOLDER);
  } catch {
    return [];
  }
  return keys.flatMap((key) => {
    try {
      return [JSON.parse(readFileSync(join(RUN_FOLDER, key, 'site.json'), 'utf8')) as SiteRecord];
    } catch {
      return [];
    }
  });
}
