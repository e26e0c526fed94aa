import type { ChainStatus, OperationDetail, ServiceDetail, ServiceNetwork, SiteLink, Unit } from '@superfluidity/api';
import { mobileEdgeText } from './descriptors.ts';
import { type Blueprint, MOBILE_EDGE } from './blueprints.ts';
import { type Action, Runs } from './runs.ts';
import { networksIn, portsOf, rewired } from './networks.ts';
import { SENTINELS } from './sentinels.ts';
import { dropUnit, putUnit, record, setLink, takeFromPool, tell } from './world.ts';

/**
 * The demo, scripted: the mobile-edge service is deployed, streams, is moved, scaled, healed and terminated, with the
 * steps and the timing of the real thing. Things go wrong when they are asked to, see SENTINELS.
 */
export class Scenario extends Runs {
  deploy(name: string, descriptorId = this.id('desc')): OperationDetail {
    if (!this.world.descriptors.has(descriptorId)) {
      const states = { onboardingState: 'ONBOARDED', operationalState: 'ENABLED', usageState: 'IN_USE' } as const;
      const source = mobileEdgeText(name);
      const made = {
        id: descriptorId,
        name,
        version: '1.0.0',
        format: 'native',
        ...states,
        createdAt: Date.now(),
        source,
      };
      this.world.descriptors.set(descriptorId, made);
    }
    const service: ServiceDetail = {
      id: this.id('svc'),
      name,
      descriptorId,
      version: '1.0.0',
      state: 'NOT_INSTANTIATED',
      healthy: true,
      unitCount: 0,
      runningCount: 0,
      sites: [],
      createdAt: Date.now(),
      functions: [...Map.groupBy(MOBILE_EDGE, ({ path }) => path.split('/')[0]!)].map(([f, units]) => ({
        name: f,
        units: units.map(({ path, environment }) => ({ path, environment, wanted: 1 })),
      })),
      units: [],
      chains: [],
      networks: networksIn(this.world.descriptors.get(descriptorId)!.source),
      balancers: [],
    };
    this.world.services.set(name, service);
    const units = MOBILE_EDGE.map((blueprint, i) => this.#unit(service.networks ?? [], blueprint, 0, i + 1));
    const networks = ['edge', 'core'].map((site) => ({
      id: `network-${site}`,
      title: `create network users in ${site}`,
      verb: 'create network',
      site,
      after: ['grant'],
      ms: 120,
    }));
    return this.begin(service, 'INSTANTIATE', {}, [
      { id: 'grant', title: 'grant resources for 7 units', verb: 'grant', after: [], ms: 80 },
      ...networks,
      ...units.map((unit) => this.#create(service, unit, [`network-${unit.site}`])),
      {
        id: 'chain',
        title: 'install chain uplink over 7 hops',
        verb: 'install chain',
        after: units.map((unit) => `create-${unit.id}`),
        ms: 260,
        end: () => this.#setChain(service),
      },
      {
        id: 'verify',
        title: 'verify that packets take the chain',
        verb: 'verify chain',
        after: ['chain'],
        ms: 320,
        end: () => {
          service.state = 'INSTANTIATED';
        },
      },
    ]);
  }

  move(service: ServiceDetail, what: string, to: string, host?: string): OperationDetail {
    const old = service.units.filter((unit) => unit.path === what || unit.path.startsWith(`${what}/`));
    const target = host ?? this.world.sites.get(to)!.hosts[to === 'edge' ? 1 : 0]!.name;
    const fresh = old.map((unit, i) =>
      this.#unit(service.networks ?? [], { ...unit, site: to, host: target }, unit.index, 20 + this.next + i),
    );
    return this.begin(service, 'MOVE', { what, to }, [
      { id: 'grant', title: `grant resources for ${what} in ${to}`, verb: 'grant', site: to, after: [], ms: 150 },
      ...fresh.map((unit) => this.#create(service, unit, ['grant'])),
      {
        id: 'switch',
        title: 'switch chain uplink to version 2',
        verb: 'switch chain',
        after: fresh.map((unit) => `create-${unit.id}`),
        ms: 300,
        end: () => this.#setChain(service, fresh),
        undo: () => this.#setChain(service, old),
      },
      ...old.map((unit) => ({
        id: `drain-${unit.id}`,
        title: `drain ${unit.path}#${unit.index} on ${unit.site}/${unit.host}`,
        verb: 'drain unit',
        site: unit.site,
        after: ['switch'],
        ms: 1_200,
        start: () => putUnit(this.world, service, { ...unit, state: 'draining' as const }),
      })),
      ...old.map((unit) => ({
        id: `remove-${unit.id}`,
        title: `remove ${unit.path}#${unit.index} from ${unit.site}/${unit.host}`,
        verb: 'remove unit',
        site: unit.site,
        after: [`drain-${unit.id}`],
        ms: 200,
        end: () => dropUnit(this.world, service, unit.id),
      })),
    ]);
  }

  /** Makes it what another descriptor says of its networks: what is wired otherwise is made anew. */
  update(service: ServiceDetail, descriptorId: string): OperationDetail {
    const before = service.descriptorId;
    const networks = networksIn(this.world.descriptors.get(descriptorId)!.source);
    const old = rewired(service, networks);
    const fresh = old.map((unit, i) => this.#unit(networks, unit, unit.index, 60 + this.next + i));
    service.descriptorId = descriptorId;
    return this.begin(
      service,
      'UPDATE',
      { descriptor: descriptorId, before },
      [
        { id: 'grant', title: `grant resources for ${service.name}`, verb: 'grant', after: [], ms: 80 },
        ...fresh.map((unit) => this.#create(service, unit, ['grant'])),
        {
          id: 'switch',
          title: 'switch chain uplink to the next version',
          verb: 'switch chain',
          after: fresh.map((unit) => `create-${unit.id}`),
          ms: 200,
          end: () => this.#setChain(service, fresh),
        },
        ...old.map((unit) => ({
          id: `remove-${unit.id}`,
          title: `remove ${unit.path}#${unit.index} from ${unit.site}/${unit.host}`,
          verb: 'remove unit',
          site: unit.site,
          after: ['switch'],
          ms: 200,
          end: () => dropUnit(this.world, service, unit.id),
        })),
      ],
      () => {
        service.networks = networks;
        this.tellService(service, `${service.name} is what its descriptor says`);
      },
    );
  }

  link(link: SiteLink): OperationDetail {
    const subject = `link:${[link.a, link.b].toSorted().join(':')}`;
    return this.begin(
      { name: subject },
      'LINK',
      { link },
      [link.a, link.b].map((site, i) => ({
        id: `set-link@${site}`,
        title: `change the link ${link.a} - ${link.b} at ${site}`,
        verb: 'set-link',
        site,
        after: i === 0 ? [] : [`set-link@${link.a}`],
        ms: 150,
      })),
      () => {
        setLink(this.world, link);
        tell(this.world, {
          kind: 'site',
          subject: `${link.a}-${link.b}`,
          severity: 'info',
          message: `link ${link.a} - ${link.b}: ${link.latencyMs} ms`,
          body: { ...link },
        });
      },
    );
  }

  scale(service: ServiceDetail, path: string, count: number): OperationDetail {
    const now = service.units.filter((unit) => unit.path === path);
    const wanted = service.functions.flatMap((f) => f.units).find((unit) => unit.path === path);
    const blueprint = now[0] ?? MOBILE_EDGE.find((unit) => unit.path === path)!;
    if (wanted !== undefined) wanted.wanted = count;
    const hosts = this.world.sites.get(blueprint.site)!.hosts;
    const added = Array.from({ length: Math.max(0, count - now.length) }, (_, i) =>
      this.#unit(service.networks ?? [], { ...blueprint, host: hosts[i % hosts.length]!.name }, now.length + i, 40 + i),
    );
    return this.begin(service, 'SCALE', { unit: path, count }, [
      { id: 'grant', title: `grant resources for ${count} of ${path}`, verb: 'grant', after: [], ms: 100 },
      ...added.map((unit) => this.#create(service, { ...unit, host: unit.host }, ['grant'], false)),
      ...now.slice(count).map((unit) => ({
        id: `remove-${unit.id}`,
        title: `remove ${unit.path}#${unit.index} from ${unit.site}/${unit.host}`,
        verb: 'remove unit',
        site: unit.site,
        after: ['grant'],
        ms: 300,
        end: () => dropUnit(this.world, service, unit.id),
      })),
    ]);
  }

  heal(service: ServiceDetail): OperationDetail {
    const ill = service.units.filter((unit) => unit.state === 'failed');
    return this.begin(service, 'HEAL', {}, [
      { id: 'compare', title: 'compare what is wanted with what is there', verb: 'compare', after: [], ms: 200 },
      ...ill.map((unit) => this.#create(service, unit, ['compare'])),
    ]);
  }

  terminate(service: ServiceDetail): OperationDetail {
    return this.begin(
      service,
      'TERMINATE',
      {},
      [
        {
          id: 'chain',
          title: 'remove chain uplink',
          verb: 'remove chain',
          after: [],
          ms: 150,
          end: () => {
            service.chains = [];
          },
        },
        ...service.units.map((unit) => ({
          id: `remove-${unit.id}`,
          title: `remove ${unit.path}#${unit.index} from ${unit.site}/${unit.host}`,
          verb: 'remove unit',
          site: unit.site,
          after: ['chain'],
          ms: 200 + 60 * unit.path.length,
          end: () => dropUnit(this.world, service, unit.id),
        })),
      ],
      () => {
        this.world.services.delete(service.name);
        this.tellService(service, `${service.name} is gone`);
      },
    );
  }

  /** Very many units at once, without an operation: what the console makes of it is the question. */
  grow(service: ServiceDetail, path: string, count: number): void {
    const blueprint = MOBILE_EDGE.find((unit) => unit.path === path)!;
    for (let i = 1; i < count; i += 1) {
      const host = i % 2 === 0 ? { site: 'edge', host: 'e1' } : { site: 'core', host: 'c2' };
      service.units.push({
        ...this.#unit(service.networks ?? [], { ...blueprint, ...host }, i, i),
        state: i % 50 === 0 ? 'failed' : 'running',
      });
    }
    putUnit(this.world, service, { ...service.units.at(-1)! });
  }

  /** Many events at once. */
  chatter(count: number): void {
    for (let i = 0; i < count; i += 1)
      tell(this.world, { kind: 'site', subject: 'edge', severity: 'info', message: `said ${i}`, body: {} });
  }

  /** One request of the user after the other, answered by whoever serves the chain now. */
  stream(): void {
    setInterval(() => {
      for (const service of this.world.services.values()) {
        const chain = service.chains[0];
        const client = service.units.find((unit) => unit.path.startsWith('ue/'));
        const last = chain?.hops.at(-1);
        if (chain === undefined || client === undefined || last === undefined) continue;
        const away = last.site === 'core' ? 2 * 15 : 0;
        const noise = Math.random() ** 3;
        const latencyMs = 1.8 + away + noise * (away > 0 ? 6 : 2.5);
        record(this.world, service.name, [
          { t: Date.now(), unit: client.id, latencyMs, bytes: 65_536, ok: true, from: last.site },
        ]);
      }
    }, 120).unref();
  }

  /** One request that fails, for the plot. */
  failOneRequest(service: ServiceDetail): void {
    const client = service.units.find((unit) => unit.path.startsWith('ue/'));
    if (client === undefined) return;
    record(this.world, service.name, [
      { t: Date.now(), unit: client.id, latencyMs: 250, bytes: 0, ok: false, error: 'ECONNRESET' },
    ]);
  }

  #unit(networks: readonly ServiceNetwork[], blueprint: Blueprint, index: number, n: number): Unit {
    return {
      id: this.id('unit'),
      path: blueprint.path,
      index,
      environment: blueprint.environment,
      site: blueprint.site,
      host: blueprint.host,
      state: 'starting',
      ports: portsOf(networks, blueprint.path, blueprint.site, n),
      pooled: takeFromPool(this.world, blueprint.site, blueprint.environment),
      telemetry: blueprint.path.startsWith('ue/'),
    };
  }

  #create(service: ServiceDetail, unit: Unit, after: readonly string[], mayFail = true): Action {
    return {
      id: `create-${unit.id}`,
      title: `create ${unit.environment} ${unit.path}#${unit.index} on ${unit.site}/${unit.host}`,
      verb: `create ${unit.environment}`,
      site: unit.site,
      after,
      ms: unit.environment === 'vm' ? 1_500 : 350 + 90 * (unit.path.length % 5),
      start: () => putUnit(this.world, service, { ...unit, state: 'starting' }),
      end: () => putUnit(this.world, service, { ...unit, state: 'running' }),
      undo: () => dropUnit(this.world, service, unit.id),
      fails: mayFail && unit.host === SENTINELS.failingHost,
    };
  }

  #setChain(service: ServiceDetail, instead: readonly Unit[] = []): void {
    const before = service.chains[0];
    const hops = MOBILE_EDGE.map(({ path }) => {
      const unit =
        instead.find((one) => one.path === path) ??
        service.units.find((one) => one.path === path && one.index === 0 && one.state === 'running')!;
      return { unit: unit.id, site: unit.site, host: unit.host, sid: unit.ports[0]?.sid ?? '' };
    });
    const crossings = hops.filter((hop, i) => i > 0 && hop.site !== hops[i - 1]!.site).length;
    const chain: ChainStatus = {
      name: 'uplink',
      address: '10.20.9.1',
      version: (before?.version ?? 0) + 1,
      hops,
      latencyMs: 0.4 + 15 * crossings,
    };
    service.chains = [chain];
    this.tellService(service, `chain uplink of ${service.name} is at version ${chain.version}`);
  }
}
