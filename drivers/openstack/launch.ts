import { SuperfluidityError } from '@superfluidity/core';
import { createOnce, createServer, deleteServer, type NewServer } from '@superfluidity/openstack';
import type { UnitSpec } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { type Flavors, isWholeMachine } from './flavors.ts';
import type { ServerGroups } from './groups.ts';
import type { Hosts } from './hosts.ts';
import type { Images } from './images.ts';
import type { FloatingIps } from './neutron/floating-ips.ts';
import type { PortSource } from './neutron/port-source.ts';
import { metadataOf, type RecordedServer } from './server-record.ts';
import { isBeingDeleted, type Servers } from './servers.ts';
import { userDataOf } from './user-data.ts';
import type { World } from './world.ts';

export interface LaunchParts {
  readonly world: World;
  readonly hosts: Hosts;
  readonly flavors: Flavors;
  readonly images: Images;
  readonly groups: ServerGroups;
  readonly ports: PortSource;
  readonly floatingIps: FloatingIps;
  readonly servers: Servers;
}

/** Makes what a unit is made of, up to a server that is ACTIVE. What it leaves behind when it fails is the caller's to remove. */
export async function launch(
  parts: LaunchParts,
  spec: UnitSpec,
  doing: string,
  signal: AbortSignal,
): Promise<RecordedServer> {
  const { world, hosts, flavors, images, groups, ports, floatingIps, servers } = parts;
  const { cloud, config, marks, siteId } = world;
  const { kind } = await hosts.of(spec, doing);
  const userData = userDataOf(spec);
  // What may be refused comes before what has to be taken back.
  const [flavor, image, group] = await Promise.all([
    flavors.of(spec, doing),
    images.of(spec, doing, signal),
    groups.of(spec.service, spec.path, signal),
  ]);
  const wishes = spec.ports.map((port) => ({
    unitId: spec.id,
    service: spec.service,
    path: spec.path,
    ...(kind === 'hypervisor' ? { host: spec.host } : {}),
    port,
    forwards: spec.execution.forwards === true,
  }));
  const acquired = await ports.acquire(wishes, signal);
  const first = acquired[0];
  const floatingIp =
    floatingIps.wanted && first !== undefined ? await floatingIps.ensure(spec.id, first.id, signal) : undefined;
  const metadata = metadataOf(siteId, spec, acquired, floatingIp);
  const wanted: NewServer = {
    name: `${spec.service}.${spec.path.replaceAll('/', '.')}-${spec.index}`,
    flavorRef: flavor.id,
    ...bootFrom(config, image),
    networks: acquired.length === 0 ? 'none' : acquired.map(({ id }) => ({ port: id })),
    metadata,
    tags: marks.serverTags(spec.id),
    user_data: userData,
    config_drive: true,
    ...(config.keyName === undefined ? {} : { key_name: config.keyName }),
    // Which of its machines it gives is the cloud's to choose.
    ...(kind === 'zone'
      ? { availability_zone: spec.host }
      : isWholeMachine(flavor)
        ? {}
        : { hypervisor_hostname: spec.host }),
  };
  signal.throwIfAborted();
  // Not given up half way: whether there is a server would not be known.
  const lasting = AbortSignal.timeout(LIMITS.createMs);
  const { id } = await createOnce<{ readonly id: string }>(cloud, {
    find: async () => (await servers.ofUnit(spec.id, lasting)).filter((server) => !isBeingDeleted(server)),
    create: () => createServer(cloud, wanted, group === undefined ? {} : { group }, lasting),
    remove: (surplus) => deleteServer(cloud, surplus.id, lasting),
    signal: lasting,
  });
  return built(servers, { id, status: 'BUILD', metadata }, spec.id, doing, signal);
}

/** The server when it is ACTIVE. */
export async function built(
  servers: Servers,
  begun: RecordedServer,
  unitId: string,
  doing: string,
  signal: AbortSignal,
): Promise<RecordedServer> {
  const server = await servers.built(begun, unitId, doing, signal);
  if (server?.status === 'ACTIVE') return server;
  if (server === undefined) {
    const reason = 'the server was deleted while it was built';
    throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason, request: `server ${begun.id}` });
  }
  throw buildFailure(server, doing);
}

/** A fault of Nova in the words of the site. */
function buildFailure(server: RecordedServer, doing: string): SuperfluidityError {
  const said = server.fault?.message ?? `the server is ${server.status}`;
  const details = {
    doing,
    reason: said,
    request: `server ${server.id}`,
    answer: [said, server.fault?.details]
      .filter((text) => text !== undefined)
      .join('\n')
      .slice(0, 2_000),
    data: { server: server.id, status: server.status },
  };
  const noRoom = /no valid host|exceeded max scheduling attempts|not enough|insufficient/i.test(said);
  return new SuperfluidityError(noRoom ? 'SF-SITE-NO-CAPACITY' : 'SF-SITE-UNIT-FAILED', details);
}

function bootFrom(config: World['config'], image: string): Partial<NewServer> {
  if (config.bootFromVolume === undefined) return { imageRef: image };
  return {
    block_device_mapping_v2: [
      {
        boot_index: 0,
        source_type: 'image',
        destination_type: 'volume',
        uuid: image,
        volume_size: config.bootFromVolume.sizeGiB,
        delete_on_termination: true,
      },
    ],
  };
}
