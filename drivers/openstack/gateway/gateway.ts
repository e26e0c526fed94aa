import {
  canonicalJson,
  isSuperfluidityError,
  type Logger,
  reportError,
  SuperfluidityError,
  Turns,
} from '@superfluidity/core';
import type { FabricCall, NetworkSpec, SiteLinkSpec, SitePath } from '@superfluidity/fabric';
import { type Router, type RouterRoute, routers } from '@superfluidity/openstack';
import {
  clearDrafts,
  LeaseFile,
  Links,
  Paths,
  purgeScope,
  Records,
  type Scope,
  scopeOf,
  type SiteRecord,
  writeSite,
} from '@superfluidity/router';
import type { GatewayConfig } from '../config.ts';
import { factOf, idIn } from '../marks.ts';
import { type Behind, ensureGateway, LEG, missingFor, setRoutes, setSources } from './leg.ts';
import { letIn, type LetInParts, shutOut } from './let-in.ts';
import { changedRoutes, endsOf, openersOf, outsideOf, routesFor } from './routes.ts';

/** A network of a service, with its router and the address of that in the external network. */
interface Routed {
  readonly spec: NetworkSpec;
  readonly router: Router;
  readonly outside: string;
}

/** What is written down on this machine, and read when we take charge. */
interface Here {
  readonly links: Links;
  readonly paths: Paths;
  /** As sites to which there are links read them. */
  readonly networks: Records<NetworkSpec>;
  /** By network: the routes of its router that are ours. */
  readonly routes: Records<readonly RouterRoute[]>;
  readonly configs: Records<GatewayConfig>;
}

/** The place of the gateway among those where packets of ports are steered: there is one. */
const PLACE = 'gateway';

/**
 * The router of a cloud's site on this machine, which joins it to other sites: the same router, links and records as those
 * of kind linux, and a leg in the external network of the cloud. Behind it are the networks of services, each behind its
 * router of Neutron, which gets routes back. Chains that cross end here: their packets leave the tunnel (End.DX4) towards
 * the router of the network of the end, and what the end sends is put into one. Level by level: what is wanted follows from
 * what Neutron and the records say, and is set again whenever it is looked at.
 */
export class Gateway {
  readonly #parts: LetInParts;
  readonly #config: GatewayConfig;
  readonly #scope: Scope;
  readonly #site: SiteRecord;
  readonly #lease: LeaseFile;
  readonly #turns = new Turns();
  #here: Here | undefined;
  /** What was told to the packet filter last. */
  #sources: string | undefined;
  /** Why there is no leg: what is removed can be removed without, and nothing else works. */
  #missing: string | undefined;
  /** The cloud does not let us switch the source NAT of its routers off. */
  #keepsNat = false;

  constructor(parts: LetInParts, config: GatewayConfig, stateFolder: string) {
    const { siteId: id, name } = parts.world;
    this.#parts = parts;
    this.#config = config;
    this.#scope = scopeOf(id);
    this.#site = { id, name, stateFolder };
    this.#lease = new LeaseFile(name, this.#scope);
  }

  /** For people. */
  get state(): { readonly present: boolean; readonly note: string } {
    const missing = missingFor(this.#config);
    if (missing !== undefined) return { present: false, note: missing };
    const { address, device, sourceNat } = this.#config;
    const hidden =
      sourceNat || this.#keepsNat
        ? ', source NAT stays on: connections that units of the cloud begin do not reach other sites'
        : '';
    return { present: true, note: `links to sites of this machine by ${address} on ${device}${hidden}` };
  }

  ensureLink(spec: SiteLinkSpec, call: FabricCall): Promise<void> {
    return this.#inCharge(call, async (here) => {
      this.#refuseWithoutLeg(`make link ${spec.id} at ${this.#site.name}`);
      await here.links.ensure(spec);
      await this.#settle(here, call.signal);
    });
  }

  removeLink(id: string, call: FabricCall): Promise<void> {
    return this.#inCharge(call, async (here) => {
      await here.links.remove(id);
      await this.#settle(here, call.signal);
    });
  }

  /** After networks came or went. */
  settle(call: FabricCall): Promise<void> {
    return this.#inCharge(call, (here) => this.#settle(here, call.signal));
  }

  ensurePath(path: SitePath, call: FabricCall): Promise<void> {
    return this.#inCharge(call, async (here) => {
      if (path.endpoints.length !== 1) {
        throw new SuperfluidityError('SF-FABRIC-CHAIN', {
          doing: `lead version ${path.version} of chain ${path.chainId} over the gateway of ${this.#site.name}`,
          reason: `${path.endpoints.length} of its hops are in this cloud, and others are not`,
          hint: 'Of a chain over several sites a cloud can have the first or the last hop: place the others elsewhere.',
        });
      }
      this.#refuseWithoutLeg(`install chain ${path.chainId} at ${this.#site.name}`);
      await here.paths.ensure(path);
      await this.#settle(here, call.signal);
      await letIn(this.#parts, path, call.signal);
    });
  }

  /** False where there is no such version here: it does not cross. */
  activatePath(chainId: string, version: number, call: FabricCall): Promise<boolean> {
    return this.#inCharge(call, async (here) => {
      if (pathIn(here, chainId, version) === undefined) return false;
      await here.paths.activate(chainId, version);
      return true;
    });
  }

  removePath(chainId: string, version: number, call: FabricCall): Promise<void> {
    return this.#inCharge(call, async (here) => {
      const path = pathIn(here, chainId, version);
      if (path === undefined) return;
      const others = here.paths.installed().filter((one) => one !== path);
      await shutOut(this.#parts, path, others, call.signal);
      await here.paths.remove(chainId, version);
      await this.#settle(here, call.signal);
    });
  }

  async countFlows(chainId: string, version: number): Promise<number> {
    return (await this.#here?.paths.countFlows(chainId, version)) ?? 0;
  }

  /** Puts right what somebody else has changed, while we are in charge. */
  async look(signal: AbortSignal): Promise<void> {
    await this.#turns.take(PLACE, async () => {
      if (this.#here === undefined) return;
      if (!this.#lease.mine) {
        this.#here = undefined;
        return;
      }
      try {
        await this.#settle(this.#here, signal);
        await this.#here.links.look();
      } catch (error) {
        if (!signal.aborted)
          this.#log.warn({ site: this.#site.name, error: reportError(error) }, 'the gateway was not looked after');
      }
    });
  }

  /** Before the networks are taken away: routes to units hold the interfaces of their router. */
  purge(signal: AbortSignal): Promise<readonly string[]> {
    return this.#turns.take(PLACE, async () => {
      this.#here = undefined;
      this.#sources = undefined;
      for (const router of await this.#routers(signal)) {
        if (router.routes.every(({ nexthop }) => nexthop === this.#address)) continue;
        await routers.update(this.#parts.world.cloud, router.id, { routes: [] }, signal);
      }
      return purgeScope(this.#scope, this.#log);
    });
  }

  get #log(): Logger {
    return this.#parts.world.log;
  }

  /** One thing at a time. Whoever was not in charge reads what there is, and puts up what lacks. */
  #inCharge<T>(call: FabricCall, work: (here: Here) => Promise<T>): Promise<T> {
    return this.#turns.take(PLACE, async () => {
      const isMine = this.#lease.claim(call);
      if (isMine && this.#here !== undefined) return work(this.#here);
      this.#here = undefined;
      clearDrafts(this.#scope.folder);
      const here = this.#read();
      await this.#stand(here);
      writeSite(this.#scope, this.#site);
      this.#here = here;
      return work(here);
    });
  }

  #read(): Here {
    const { folder, router } = this.#scope;
    const log = this.#log;
    const places = new Map([[PLACE, { namespace: router }]]);
    // All come in by the leg; whose they are, their addresses tell.
    const place = { host: PLACE, device: LEG, addresses: [] };
    return {
      links: new Links(this.#scope, this.#site, log),
      paths: new Paths(this.#scope, places, () => place, log),
      networks: new Records(`${folder}/networks`, log),
      routes: new Records(`${folder}/routes`, log),
      configs: new Records(`${folder}/gateway`, log),
    };
  }

  async #stand(here: Here): Promise<void> {
    const known = here.configs.get(PLACE);
    const isSame = known !== undefined && canonicalJson(known) === canonicalJson(this.#config);
    const { isNew, missing } = await ensureGateway(this.#scope, this.#config, isSame);
    this.#missing = missing;
    if (!isSame) here.configs.put(PLACE, this.#config);
    if (!isNew) return;
    this.#sources = undefined;
    await here.paths.restore();
  }

  /** Compares what is wanted with what there is, on the machine and in Neutron. */
  async #settle(here: Here, signal: AbortSignal): Promise<void> {
    await this.#stand(here);
    const routed = await this.#routed(signal);
    this.#announce(here, routed);
    const paths = here.paths.installed();
    const reached = this.#missing === undefined ? routed : [];
    const behind = reached.map(({ spec: { prefix }, outside }): Behind => ({ prefix, router: outside }));
    const outsides = new Map(reached.map(({ spec, outside }) => [spec.id, outside]));
    setRoutes(this.#scope, behind, endsOf(paths, outsides));
    const openers = openersOf(paths);
    const sources = canonicalJson([behind, openers]);
    if (sources !== this.#sources) await setSources(this.#scope, behind, openers);
    this.#sources = sources;
    const far = here.links.farNetworks();
    for (const one of routed) await this.#route(here, one, routesFor(one.spec, this.#address, far, paths), signal);
  }

  /** Other sites of the machine read what we have, and get routes to it. */
  #announce({ networks, links, routes }: Here, routed: readonly Routed[]): void {
    const wanted = new Map(routed.map(({ spec }) => [spec.id, spec]));
    for (const spec of networks.values()) {
      if (canonicalJson(wanted.get(spec.id) ?? {}) === canonicalJson(spec)) continue;
      links.announce('delete', spec.prefix);
      networks.delete(spec.id);
      routes.delete(spec.id);
    }
    for (const spec of wanted.values()) {
      if (networks.get(spec.id) !== undefined) continue;
      networks.put(spec.id, spec);
      links.announce('add', spec.prefix);
    }
  }

  async #route(here: Here, { spec, router }: Routed, wanted: readonly RouterRoute[], signal: AbortSignal) {
    const { cloud } = this.#parts.world;
    const ours = here.routes.get(spec.id) ?? [];
    const next = changedRoutes(router.routes, ours, wanted);
    if (next !== undefined) {
      if (canonicalJson(ours) === canonicalJson(wanted))
        this.#log.warn(
          { site: this.#site.name, network: spec.id },
          'routes of a router were changed, and are set again',
        );
      // Written down first: what is recorded is taken away again.
      here.routes.put(spec.id, wanted);
      await routers.update(cloud, router.id, { routes: next }, signal);
    }
    await this.#show(router, signal);
  }

  /** A unit that begins a connection is seen at the other site by its own address. */
  async #show({ id, external_gateway_info: outside }: Router, signal: AbortSignal): Promise<void> {
    if (this.#config.sourceNat || this.#keepsNat || outside?.enable_snat !== true) return;
    const fields = { external_gateway_info: { network_id: outside.network_id, enable_snat: false } };
    try {
      await routers.update(this.#parts.world.cloud, id, fields, signal);
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-FORBIDDEN')) throw error;
      this.#keepsNat = true;
      this.#log.warn(
        { site: this.#site.name },
        'source NAT of routers stays on: the cloud lets administrators alone switch it off',
      );
    }
  }

  #refuseWithoutLeg(doing: string): void {
    if (this.#missing === undefined) return;
    throw new SuperfluidityError('SF-CLOUD-GATEWAY', { doing, reason: this.#missing });
  }

  get #address(): string {
    return this.#config.address.split('/')[0]!;
  }

  /** Those whose router is there, and in the subnet of the gateway. */
  async #routed(signal: AbortSignal): Promise<readonly Routed[]> {
    const [specs, all] = await Promise.all([this.#parts.networks.list(signal), this.#routers(signal)]);
    const byId = new Map(all.map((router) => [factOf(router.tags, 'id') ?? idIn(router.description) ?? '', router]));
    return specs.flatMap((spec) => {
      const router = byId.get(spec.id);
      const outside = router === undefined ? undefined : outsideOf(router, this.#config.address);
      return router === undefined || outside === undefined ? [] : [{ spec, router, outside }];
    });
  }

  async #routers(signal: AbortSignal): Promise<readonly Router[]> {
    const { cloud, marks } = this.#parts.world;
    return (await routers.list(cloud, {}, signal)).filter((router) => marks.isOurs(router));
  }
}

const pathIn = ({ paths }: Here, chainId: string, version: number): SitePath | undefined =>
  paths.installed().find((path) => path.chainId === chainId && path.version === version);
