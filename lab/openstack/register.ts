import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PORTS } from './lab.ts';
import { writeFile } from '../paths.ts';
import { endpoint, has, type Lab } from './lab.ts';
import { PUBLIC } from './public-network.ts';
import { type Json, Session } from './rest.ts';

/** What an operator enters into a new cloud: users, catalogue, flavours. Everything may be asked for twice. */

const ROLES = [
  'admin',
  'member',
  'reader',
  'service',
  'heat_stack_owner',
  'heat_stack_user',
  'load-balancer_member',
  'load-balancer_admin',
  'load-balancer_observer',
] as const;
const SERVICE_USERS = ['placement', 'glance', 'neutron', 'nova', 'heat', 'octavia', 'mistral', 'ironic'] as const;
const TENANT_ROLES = ['member', 'heat_stack_owner', 'load-balancer_member'] as const;
const OPERATOR_ROLES = ['admin', 'heat_stack_owner', 'load-balancer_admin'] as const;

const CATALOGUE: readonly { readonly type: string; readonly service: keyof typeof PORTS; readonly path: string }[] = [
  { type: 'placement', service: 'placement', path: '' },
  { type: 'image', service: 'glance', path: '' },
  { type: 'network', service: 'neutron', path: '' },
  { type: 'compute', service: 'nova', path: '/v2.1' },
  { type: 'orchestration', service: 'heat', path: '/v1/%(tenant_id)s' },
  { type: 'load-balancer', service: 'octavia', path: '' },
  { type: 'baremetal', service: 'ironic', path: '' },
  { type: 'workflowv2', service: 'mistral', path: '/v2' },
];

export const FLAVOURS = [
  { id: '1', name: 'm1.tiny', vcpus: 1, ram: 192, disk: 1 },
  { id: '2', name: 'm1.small', vcpus: 1, ram: 512, disk: 1 },
  { id: '3', name: 'm1.large', vcpus: 4, ram: 4096, disk: 10 },
] as const;

export function openAdminSession(lab: Lab): Promise<Session> {
  const credentials = { user: 'admin', password: lab.password, project: 'admin' };
  return Session.open(endpoint(lab, 'keystone', '/v3'), credentials);
}

export async function registerServices(lab: Lab): Promise<void> {
  const url = endpoint(lab, 'keystone', '/v3');
  const session = await openAdminSession(lab);
  const ensure = async (kind: string, name: string, more: Readonly<Record<string, string>> = {}): Promise<string> => {
    const query = new URLSearchParams({ name, ...(more['domain_id'] ? { domain_id: more['domain_id'] } : {}) });
    const found = (await session.get(`${url}/${kind}?${query}`))[kind]![0];
    if (found !== undefined) return found['id']!;
    const one = kind.slice(0, -1);
    return (await session.post(`${url}/${kind}`, { [one]: { name, ...more } }))[one]!['id']!;
  };
  const inDefault = { domain_id: 'default' };
  const withPassword = { password: lab.password };
  // One after another: Keystone refuses what is asked while its first request still loads the rules.
  const roles = new Map<string, string>();
  for (const role of ROLES) roles.set(role, await ensure('roles', role));
  const grant = async (scope: string, user: string, names: readonly string[]) => {
    for (const name of names) await session.request('PUT', `${url}/${scope}/users/${user}/roles/${roles.get(name)}`);
  };

  const service = await ensure('projects', 'service', inDefault);
  const operators = async () => {
    const [demo, admin] = [await ensure('projects', 'demo', inDefault), await ensure('projects', 'admin', inDefault)];
    await grant(`projects/${demo}`, await ensure('users', 'demo', { ...inDefault, ...withPassword }), TENANT_ROLES);
    const user = await ensure('users', 'admin', inDefault);
    for (const project of [admin, demo]) await grant(`projects/${project}`, user, OPERATOR_ROLES);
  };
  // Users of stacks live in a domain of their own.
  const stacks = async () => {
    const domain = await ensure('domains', 'heat');
    const user = await ensure('users', 'heat_domain_admin', { domain_id: domain, ...withPassword });
    await grant(`domains/${domain}`, user, ['admin']);
  };
  const offer = async ({ type, service: name, path }: (typeof CATALOGUE)[number]) => {
    const id = await ensure('services', name, { type });
    const query = new URLSearchParams({ service_id: id });
    const known = (await session.get(`${url}/endpoints?${query}`))['endpoints'] as unknown as readonly Json[];
    for (const kind of ['public', 'internal', 'admin'].filter((one) => !known.some((e) => e['interface'] === one))) {
      await session.post(`${url}/endpoints`, {
        endpoint: {
          service_id: id,
          interface: kind,
          region_id: lab.options.region,
          url: endpoint(lab, name, path),
        },
      });
    }
  };
  await Promise.all([
    operators(),
    stacks(),
    ...SERVICE_USERS.map(async (name) =>
      grant(`projects/${service}`, await ensure('users', name, { ...inDefault, ...withPassword }), [
        'admin',
        'service',
      ]),
    ),
    ...CATALOGUE.filter(({ service: name }) => has(lab, name as never)).map(offer),
  ]);
}

export interface ApplicationCredential {
  readonly id: string;
  readonly secret: string;
}

export function applicationCredentialPath(lab: Lab): string {
  return join(lab.paths.var, 'application-credential.json');
}

/** For the demo user. Unrestricted, for Heat makes trusts with it. */
export async function registerApplicationCredential(lab: Lab): Promise<void> {
  const path = applicationCredentialPath(lab);
  if (existsSync(path)) return;
  const url = endpoint(lab, 'keystone', '/v3');
  const session = await Session.open(url, { user: 'demo', password: lab.password, project: 'demo' });
  const answer = await session.post(`${url}/users/${session.userId}/application_credentials`, {
    application_credential: { name: 'lab', unrestricted: true },
  });
  const { id, secret } = answer['application_credential']! as unknown as ApplicationCredential;
  writeFile(path, `${JSON.stringify({ id, secret })}\n`);
}

export async function registerFlavours(lab: Lab): Promise<void> {
  const session = await openAdminSession(lab);
  const compute = endpoint(lab, 'nova', '/v2.1');
  const known = (await session.get(`${compute}/flavors`))['flavors'] as unknown as readonly Json[];
  for (const flavor of FLAVOURS)
    if (!known.some(({ name }) => name === flavor.name)) await session.post(`${compute}/flavors`, { flavor });
}

const EMPTY_IMAGE_BYTES = 4096;

/** Something to name where no machine boots from it. */
export async function registerEmptyImage(lab: Lab): Promise<void> {
  const session = await openAdminSession(lab);
  await registerImage(session, lab, {
    name: 'lab-image',
    disk_format: 'raw',
    container_format: 'bare',
    content: new Uint8Array(EMPTY_IMAGE_BYTES),
  });
}

export interface ImageWish {
  readonly name: string;
  readonly disk_format: string;
  readonly container_format: string;
  readonly content: Uint8Array;
  readonly properties?: Readonly<Record<string, string>>;
}

export async function registerImage(session: Session, lab: Lab, wish: ImageWish): Promise<string> {
  const { content, properties = {}, ...image } = wish;
  const images = endpoint(lab, 'glance', '/v2/images');
  const known = (await session.get(`${images}?${new URLSearchParams({ name: wish.name, status: 'active' })}`))[
    'images'
  ]![0];
  if (known !== undefined) return known['id']!;
  const id = (await session.post(images, { ...image, ...properties, visibility: 'public' }))['id']!;
  const headers = { 'content-type': 'application/octet-stream' };
  await session.request('PUT', `${images}/${id}/file`, { content, headers });
  return id;
}

/** The external network, for gateways of routers and floating IPs. */
export async function registerPublicNetwork(lab: Lab): Promise<void> {
  const session = await openAdminSession(lab);
  const neutron = endpoint(lab, 'neutron', '/v2.0');
  const { name, cidr, gateway } = PUBLIC;
  if ((await session.get(`${neutron}/networks?name=${name}`))['networks']![0] !== undefined) return;
  const network = {
    name,
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'physnet1',
  };
  const id = (await session.post(`${neutron}/networks`, { network }))['network']!['id']!;
  const subnet = { network_id: id, name, ip_version: 4, cidr, gateway_ip: gateway, enable_dhcp: false };
  await session.post(`${neutron}/subnets`, { subnet });
}
