import { SuperfluidityError } from '@superfluidity/core';
import { simulated } from '@superfluidity/driver-simulated';
import type { FabricBackend, NetworkSegment } from '@superfluidity/fabric';
import type { DriverKind, SiteDriver } from '@superfluidity/site';

/**
 * Simulated sites of two kinds, of which one is in networks that the other makes, as pods are in those of a cloud. What a network is
 * called is new each time it is made; it does not go as long as somebody is in it.
 */
export class SharedSites {
  /** Networks by site and id. */
  readonly made = new Map<string, NetworkSegment>();
  /** In which of them a site is, by site and id. */
  readonly joined = new Map<string, NetworkSegment>();
  /** Called before each change of a network, which it can refuse. */
  before: (what: string) => void = () => {};
  /** Of the last call. */
  fence = 0;
  #count = 0;

  readonly cloud: DriverKind = {
    ...simulated,
    kind: 'openstack',
    open: async (options) =>
      withFabric(await simulated.open(options), (fabric) => ({
        ensureNetwork: async (spec, call) => {
          this.before(`create ${spec.name} at ${options.name}`);
          this.fence = call.fence;
          await fabric.ensureNetwork(spec, call);
          const key = `${options.name} ${spec.id}`;
          const known = this.made.get(key);
          if (known !== undefined) return known;
          this.#count += 1;
          const segment = { network: `network-${this.#count}`, subnet: `subnet-${this.#count}` };
          this.made.set(key, segment);
          return segment;
        },
        removeNetwork: async (id, call) => {
          this.before(`remove ${id} at ${options.name}`);
          const segment = this.made.get(`${options.name} ${id}`);
          const users = [...this.joined].filter(([, { network }]) => network === segment?.network);
          if (users.length > 0) throw new SuperfluidityError('SF-SITE-CONFLICT', { reason: `${users} are in ${id}` });
          await fabric.removeNetwork(id, call);
          this.made.delete(`${options.name} ${id}`);
        },
      })),
  };

  readonly cluster: DriverKind = {
    ...simulated,
    kind: 'kubernetes',
    sharesNetworks: ({ shares }) =>
      typeof shares === 'string' ? { site: shares, kind: 'openstack', atMost: 1 } : undefined,
    open: async (options) => {
      const { shares: _, ...config } = options.config;
      const driver = await simulated.open({ ...options, config });
      const wrapped = withFabric(driver, (fabric) => ({
        ensureNetwork: async (spec, call, segment) => {
          this.before(`create ${spec.name} at ${options.name}`);
          const isThere = [...this.made.values()].some(({ subnet }) => subnet === segment?.subnet);
          if (segment === undefined || !isThere)
            throw new SuperfluidityError('SF-SITE-CONFLICT', { reason: `no network ${segment?.network}` });
          await fabric.ensureNetwork(spec, call);
          this.joined.set(`${options.name} ${spec.id}`, segment);
          return undefined;
        },
        removeNetwork: async (id, call) => {
          this.before(`remove ${id} at ${options.name}`);
          await fabric.removeNetwork(id, call);
          this.joined.delete(`${options.name} ${id}`);
        },
      }));
      // The last of its hosts is a virtual machine.
      return override(wrapped, {
        fingerprint: async () => {
          const print = await driver.fingerprint();
          const hosts = print.hosts.map((host, at) =>
            at + 1 < print.hosts.length ? host : { ...host, virtual: true },
          );
          return { ...print, hosts };
        },
      });
    },
  };
}

type NetworkVerbs = Pick<FabricBackend, 'ensureNetwork' | 'removeNetwork'>;

function withFabric(driver: SiteDriver, verbs: (fabric: FabricBackend) => NetworkVerbs): SiteDriver {
  return override(driver, { fabric: override(driver.fabric, verbs(driver.fabric)) });
}

function override<T extends object>(of: T, parts: Partial<T>): T {
  return new Proxy(of, {
    get(target, key) {
      if (key in parts) return parts[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
