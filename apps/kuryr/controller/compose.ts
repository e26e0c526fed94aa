import { type Clock, invariant, type Logger } from '@superfluidity/core';
import { KURYR_TAG } from '@superfluidity/driver-openstack';
import { KURYR, type Keep } from '@superfluidity/fabric';
import { Cloud, readCloud } from '@superfluidity/openstack';
import type { KuryrConfig } from './config.ts';
import { annotatedAttachments, noAttachments } from './drivers/attachments.ts';
import { linuxBalancer } from './drivers/balancer-linux.ts';
import { OctaviaBalancer } from './drivers/balancer-octavia.ts';
import { defaultGroups, policyGroups } from './drivers/groups.ts';
import { linuxNetworks } from './drivers/networks-linux.ts';
import { NeutronNetworks } from './drivers/networks-neutron.ts';
import { linuxPolicies } from './drivers/policy-linux.ts';
import { NeutronPolicies } from './drivers/policy-neutron.ts';
import { projectDriver } from './drivers/projects.ts';
import { annotatedSubnets, linuxSubnet, namespaceSubnets, neutronSubnet, subnetReader } from './drivers/subnets.ts';
import type {
  AttachmentDriver,
  BalancerDriver,
  GroupDriver,
  NetworkDriver,
  PolicyDriver,
  ProjectDriver,
  SubnetDriver,
  VifType,
} from './drivers/types.ts';
import { linuxVif } from './drivers/vif-linux.ts';
import { neutronVif } from './drivers/vif-neutron.ts';
import { VifPools } from './drivers/vif-pools.ts';
import type { World } from './world.ts';

/** What the configuration names, put together. */
export interface Drivers {
  readonly projects: ProjectDriver;
  readonly subnets: SubnetDriver;
  readonly groups: GroupDriver;
  readonly vifs: VifPools;
  readonly attachments: AttachmentDriver;
  /** Where each namespace has its own network. */
  readonly networks?: NetworkDriver;
  readonly balancer?: BalancerDriver;
  /** Where policies are carried out. */
  readonly policies?: PolicyDriver;
}

export interface ComposeParts {
  readonly config: KuryrConfig;
  readonly world: World;
  readonly cloud: Cloud | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stopwatch: () => number;
}

/** On everything that is made in a cloud. The last one tells clusters apart. */
export const tagsOf = (config: KuryrConfig): readonly string[] => ['superfluidity', `${KURYR_TAG}${config.cluster}`];

/** The cloud that is configured, if one is. */
export async function openCloud(
  config: KuryrConfig,
  parts: Pick<ComposeParts, 'clock' | 'log'> & {
    readonly onRequest: NonNullable<ConstructorParameters<typeof Cloud>[0]['onRequest']>;
  },
): Promise<Cloud | undefined> {
  if (config.neutron === undefined) return undefined;
  const { cloud: name } = config.neutron;
  return new Cloud({ config: await readCloud(name === undefined ? {} : { name }), ...parts });
}

export function composeDrivers({ config, world, cloud, clock, log, stopwatch }: ComposeParts): Drivers {
  const { drivers, linux, neutron, pool } = config;
  const kinds = new Set([drivers.vif, ...drivers.vifs]);
  const types = [...kinds].map((kind): VifType => {
    if (kind !== 'linux') {
      invariant(neutron !== undefined && cloud !== undefined, 'the configuration was read');
      const { bridge, vlans } = neutron;
      const ranged = vlans === undefined ? {} : { vlans };
      return neutronVif(kind, { cloud, clock, log, tags: tagsOf(config), bridge, ...ranged });
    }
    invariant(linux !== undefined, 'the configuration was read');
    const { bridge, gateway } = linux;
    return linuxVif({ bridge, ...(gateway === undefined ? {} : { gateway }) });
  });
  const { minimum, maximum, batch, foresees } = pool;
  const keep: Keep = { ...KURYR, minimum, batch, foresees, ...(maximum === undefined ? {} : { maximum }) };
  const fallback = neutron?.groups ?? [];
  const vifs = new VifPools({
    clock,
    log,
    types,
    kind: drivers.vif,
    keep,
    updateMs: pool.updateMs,
    verify: pool.verify,
    names: pool.names,
    stopwatch,
  });
  const policies = drivers.groups === 'policy' ? policyDriver(config, cloud) : undefined;
  const networks = drivers.subnet === 'namespace' ? networkDriver(config, cloud) : undefined;
  const balancer = drivers.balancer === 'none' ? undefined : balancerDriver(config, cloud);
  return {
    projects: projectDriver(drivers.project, neutron?.project ?? ''),
    subnets:
      drivers.subnet === 'namespace' ? namespaceSubnets(world) : subnetOfFabric({ config, world, cloud, clock, vifs }),
    groups: policies === undefined ? defaultGroups(fallback) : policyGroups(world, policies, fallback),
    vifs,
    attachments: attachmentDriver({ config, world, cloud, clock, vifs }),
    ...(networks === undefined ? {} : { networks }),
    ...(balancer === undefined ? {} : { balancer }),
    ...(policies === undefined ? {} : { policies }),
  };
}

type FabricParts = Pick<ComposeParts, 'config' | 'world' | 'cloud' | 'clock'> & { readonly vifs: VifPools };

function attachmentDriver({ config, world, cloud, clock, vifs }: FabricParts): AttachmentDriver {
  const { drivers, attachments, linux, neutron } = config;
  if (drivers.attachments === 'none') return noAttachments;
  return annotatedAttachments({
    world,
    shared: attachments.namespaces,
    groups: neutron?.groups ?? [],
    kindOf: (node) => vifs.kindOf(node),
    ...(cloud === undefined ? {} : { cloudSubnet: subnetReader(cloud, clock) }),
    ...(linux === undefined ? {} : { linux }),
  });
}

function policyDriver(config: KuryrConfig, cloud: Cloud | undefined): PolicyDriver {
  if (cloud === undefined) return linuxPolicies;
  return new NeutronPolicies({ cloud, tags: tagsOf(config), cluster: config.cluster });
}

function networkDriver(config: KuryrConfig, cloud: Cloud | undefined): NetworkDriver {
  const { linux, neutron, cluster } = config;
  if (linux !== undefined) return linuxNetworks(linux);
  invariant(neutron?.subnetPool !== undefined && cloud !== undefined, 'the configuration was read');
  const { subnetPool, router } = neutron;
  const routed = router === undefined ? {} : { router };
  return new NeutronNetworks({ cloud, tags: tagsOf(config), cluster, subnetPool, ...routed });
}

function balancerDriver(config: KuryrConfig, cloud: Cloud | undefined): BalancerDriver {
  const { drivers, neutron } = config;
  if (drivers.balancer !== 'octavia') return linuxBalancer;
  invariant(neutron?.serviceSubnet !== undefined && cloud !== undefined, 'the configuration was read');
  const { serviceSubnet, externalNetwork, provider, mode, subnet } = neutron;
  return new OctaviaBalancer({
    cloud,
    tags: tagsOf(config),
    serviceSubnet,
    ...(mode === 'l2' && subnet !== undefined ? { podSubnet: subnet } : {}),
    ...(externalNetwork === undefined ? {} : { externalNetwork }),
    ...(provider === undefined ? {} : { provider }),
  });
}

/** Nodes in the built-in fabric have one subnet, and nodes in the cloud another. */
function subnetOfFabric({ config: { linux, neutron, drivers }, world, cloud, clock, vifs }: FabricParts): SubnetDriver {
  const inLinux = linux === undefined ? undefined : linuxSubnet(linux);
  let inCloud: SubnetDriver | undefined;
  if (neutron?.subnet !== undefined && cloud !== undefined) {
    const annotations = (namespace: string) => world.namespaces.get(namespace)?.metadata.annotations ?? {};
    const namespaces = () => world.namespaces.all().map(({ metadata }) => metadata.name);
    inCloud =
      drivers.subnet === 'annotation'
        ? annotatedSubnets(cloud, clock, neutron.subnet, annotations, namespaces)
        : neutronSubnet(cloud, clock, neutron.subnet);
  }
  return {
    kind: drivers.subnet,
    of: async (namespace, node, signal) => {
      const driver = vifs.kindOf(node) === 'linux' ? inLinux : inCloud;
      invariant(driver !== undefined, 'the configuration was read');
      return driver.of(namespace, node, signal);
    },
    ...(inCloud?.networks === undefined ? {} : { networks: inCloud.networks }),
  };
}
