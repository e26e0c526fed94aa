import { readFile } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import { kuryrServedSchema } from '@superfluidity/driver-kubernetes/kuryr';
import { parse } from 'yaml';
import { z } from 'zod';
import { CLOUD_ID } from './cloud-id.ts';
import './errors.ts';
import { attachmentKinds, balancerKinds, groupKinds, projectKinds, subnetKinds, vifKinds } from './drivers/types.ts';

const text = z.string().min(1).max(1_000);
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const id = z.string().regex(CLOUD_ID);
/** A device of Linux. */
const device = z.string().regex(/^[A-Za-z0-9._-]{1,15}$/);
const prefix = z.string().regex(/^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/);
const address = z.string().regex(/^\d{1,3}(?:\.\d{1,3}){3}$/);
const mtu = z.int().min(576).max(65_535);
const vlan = z.int().min(1).max(4_094);

const schema = z
  .strictObject({
    cluster: name.describe('Name of this cluster: what is made in the cloud carries it as a tag'),
    kubeconfig: text.exactOptional().describe('File with credentials. Default: the account of the pod'),
    context: text.exactOptional(),
    ...kuryrServedSchema.shape,
    drivers: z
      .strictObject({
        project: z.enum(projectKinds).default('default'),
        subnet: z.enum(subnetKinds).default('default'),
        groups: z.enum(groupKinds).default('default'),
        vif: z.enum(vifKinds).describe('Of nodes without the label superfluidity.dev/vif'),
        vifs: z
          .array(z.enum(vifKinds))
          .max(vifKinds.length)
          .default([])
          .describe('Which others nodes may name by that label'),
        balancer: z.enum(balancerKinds).default('none'),
        attachments: z
          .enum(attachmentKinds)
          .default('none')
          .describe('Further interfaces: by the annotation k8s.v1.cni.cncf.io/networks of pods'),
      })
      .describe('Which of each role is used, by name'),
    attachments: z
      .strictObject({
        namespaces: z
          .array(name)
          .max(100)
          .default([])
          .describe('Whose NetworkAttachmentDefinitions all pods may name; those of their own they may in any case'),
      })
      .prefault({}),
    pool: z
      .strictObject({
        minimum: z.int().min(0).max(1_000).default(5),
        maximum: z
          .int()
          .min(0)
          .max(100_000)
          .exactOptional()
          .describe('What comes back above it is removed. Default: no limit'),
        batch: z.int().min(1).max(500).default(10),
        updateMs: z.int().min(1_000).max(3_600_000).default(20_000),
        foresees: z.boolean().default(true).describe('Refills begin earlier the faster pods come'),
        prepare: z.boolean().default(false).describe('Fill pools of a node when it comes, not with its first pod'),
        verify: z
          .boolean()
          .default(false)
          .describe('Ask the cloud at each hand-out whether the port is as it should be: one call more for each'),
        names: z.boolean().default(false).describe('Name ports of the cloud after their pods: one call more for each'),
      })
      .prefault({}),
    linux: z
      .strictObject({
        cidr: z
          .union([prefix, z.literal('node')])
          .describe('Addresses of pods; `node`: each node has its own prefix, its podCIDR'),
        gateway: address.exactOptional().describe('Default: the first address of the prefix'),
        bridge: device.default('sf-pods'),
        mtu: mtu.default(1_500),
        namespaceLength: z
          .int()
          .min(16)
          .max(30)
          .default(24)
          .describe('Length of the prefixes cut from cidr where each namespace has its own'),
      })
      .exactOptional()
      .describe('The built-in fabric'),
    neutron: z
      .strictObject({
        cloud: name.exactOptional().describe('Of clouds.yaml. Default: what OS_* variables describe'),
        subnet: id.exactOptional().describe('Where pods are, unless each namespace has its own'),
        groups: z
          .array(id)
          .min(1)
          .max(10)
          .describe('Security groups of pods; without any, nothing would come to a pod'),
        project: id.exactOptional().describe('Whose ports are. Default: the project of the credentials'),
        bridge: device.default('br-int').describe('Of Open vSwitch on nodes of bare metal'),
        vlans: z
          .strictObject({ first: vlan, last: vlan })
          .refine(({ first, last }) => first <= last, 'first is above last')
          .exactOptional()
          .describe('VLAN ids of pods in virtual machines, where these use others themselves. Default: 1 to 4094'),
        subnetPool: id.exactOptional().describe('From which namespaces get their subnets'),
        router: id.exactOptional().describe('To which subnets of namespaces are connected'),
        serviceSubnet: id.exactOptional().describe('Where the addresses of Services are'),
        externalNetwork: id.exactOptional().describe('From which Services of type LoadBalancer get addresses'),
        mode: z.enum(['l2', 'l3']).default('l3').describe('l2: balancers have a port in the subnet of pods'),
        provider: name.exactOptional().describe('Of Octavia. Default: its own'),
      })
      .exactOptional()
      .describe('A cloud with Neutron'),
    lease: z
      .strictObject({
        namespace: name.default('kube-system'),
        name: name.default('superfluidity-kuryr'),
        seconds: z.int().min(3).max(300).default(15),
      })
      .prefault({}),
    listen: z
      .strictObject({
        // Who may see metrics is on this machine.
        address: z
          .string()
          .regex(/^(?:127(?:\.\d{1,3}){3}|::1)$/)
          .default('127.0.0.1'),
        port: z.int().min(0).max(65_535).default(9_654),
      })
      .prefault({}),
  })
  .superRefine(({ drivers, linux, neutron }, context) => {
    const lacks = (message: string) => context.addIssue({ code: 'custom', message });
    if (linux === undefined && neutron === undefined) lacks('give linux or neutron');
    for (const kind of new Set([drivers.vif, ...drivers.vifs])) {
      const fabric = kind === 'linux' ? 'linux' : 'neutron';
      if ((fabric === 'linux' ? linux : neutron) === undefined) lacks(`drivers.vif is ${kind}: give ${fabric}`);
    }
    if (drivers.subnet !== 'default' && neutron?.mode === 'l2')
      lacks('neutron.mode l2 needs one subnet of pods: drivers.subnet is default');
    if (drivers.balancer === 'octavia' && neutron?.serviceSubnet === undefined)
      lacks('drivers.balancer is octavia: give neutron.serviceSubnet');
    if (drivers.subnet === 'namespace') {
      if (linux !== undefined && linux.cidr === 'node') lacks('drivers.subnet is namespace: linux.cidr is a prefix');
      if (neutron !== undefined && neutron.subnetPool === undefined)
        lacks('drivers.subnet is namespace: give neutron.subnetPool');
    } else if (neutron !== undefined && neutron.subnet === undefined)
      lacks(`drivers.subnet is ${drivers.subnet}: give neutron.subnet`);
    if (drivers.subnet === 'annotation' && neutron === undefined)
      lacks('drivers.subnet is annotation: give neutron, in which the subnets are');
    // Ports of a namespace are all in its one network, wherever that is.
    if (linux !== undefined && neutron !== undefined && drivers.subnet === 'namespace')
      lacks('drivers.subnet is namespace: give linux or neutron, not both');
  });
export type KuryrConfig = z.infer<typeof schema>;

export const kuryrConfigSchema = z.toJSONSchema(schema, { io: 'input' }) as Readonly<Record<string, unknown>>;

/** Of an object of any origin. Throws `SF-KURYR-CONFIG`. */
export function readKuryrConfig(value: unknown, from: string): KuryrConfig {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SuperfluidityError('SF-KURYR-CONFIG', {
    doing: `read ${from}`,
    reason: z.prettifyError(parsed.error),
    data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
  });
}

const FILE_BYTES_MAX = 1_000_000;

/** A file in YAML or JSON, as a ConfigMap is mounted. */
export async function readKuryrFile(path: string): Promise<KuryrConfig> {
  const doing = `read ${path}`;
  let value: unknown;
  try {
    const content = await readFile(path, 'utf8');
    if (content.length > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} characters`);
    value = parse(content, { maxAliasCount: 100 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-KURYR-CONFIG', { doing, reason, cause });
  }
  return readKuryrConfig(value, path);
}
