import type { Resource } from './stack.ts';
import { Reference } from './values.ts';

const of = (service: string, ...names: readonly string[]) => names.map((name) => `OS::${service}::${name}`);

/** Types of which every resource is read for what others are. */
const READ: ReadonlySet<string> = new Set([
  ...of('Nova', 'Server', 'Flavor'),
  ...of('Zun', 'Container'),
  ...of('Neutron', 'Net', 'ProviderNet', 'Subnet', 'Port', 'Router', 'RouterInterface', 'Trunk', 'ExtraRouteSet'),
  ...of('Neutron', 'SecurityGroup', 'SecurityGroupRule', 'QoSPolicy', 'QoSBandwidthLimitRule'),
  ...of('Neutron', 'PortPair', 'PortPairGroup', 'FlowClassifier', 'PortChain'),
  ...of('Heat', 'ResourceGroup', 'AutoScalingGroup', 'ScalingPolicy'),
  ...of('Octavia', 'LoadBalancer', 'Listener', 'Pool', 'PoolMember', 'HealthMonitor'),
  ...of('Cinder', 'Volume', 'VolumeAttachment'),
  ...of('Glance', 'Image', 'WebImage'),
]);

export const isRead = ({ type }: Resource): boolean => READ.has(type);

export const isNetwork = ({ type }: Resource): boolean =>
  type === 'OS::Neutron::Net' || type === 'OS::Neutron::ProviderNet';

/** The resources of all stacks, found by what they are of: nobody looks through all of them for each of them. */
export class Resources {
  readonly all: readonly Resource[];
  readonly #byType: ReadonlyMap<string, readonly Resource[]>;
  readonly #tables = new Map<string, ReadonlyMap<unknown, readonly Resource[]>>();

  constructor(all: readonly Resource[]) {
    this.all = all;
    this.#byType = Map.groupBy(all, ({ type }) => type);
  }

  ofType(type: string): readonly Resource[] {
    return this.#byType.get(type) ?? [];
  }

  /** Those of a type of which the first property that is said is this resource, or this text. */
  of(type: string, properties: readonly string[], wanted: unknown): readonly Resource[] {
    const key = [type, ...properties].join(' ');
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = Map.groupBy(this.ofType(type), (resource) => {
        const said = resource.properties();
        const value = properties.map((name) => said[name]).find((one) => one !== undefined);
        return value instanceof Reference ? value.resource : value;
      });
      this.#tables.set(key, table);
    }
    return wanted === undefined ? [] : (table.get(wanted) ?? []);
  }
}
