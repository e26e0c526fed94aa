import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { CLOUD_ID } from '../controller/cloud-id.ts';
import { configurationOf } from './configuration.ts';
import './errors.ts';
import type { InstallSpec } from './spec.ts';

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a name of Kubernetes: small letters, digits, -');
/** Of the node. Parts that lead upwards are refused by the API server as well. */
const path = z
  .string()
  .max(200)
  .regex(/^(?:\/[A-Za-z0-9._-]*[A-Za-z0-9_-])+$/, 'a path from / on');
const image = z
  .string()
  .max(500)
  .regex(/^[a-z0-9]+(?:[._:/-]+[A-Za-z0-9]+)*(?:@sha256:[0-9a-f]{64})?$/, 'REGISTRY/NAME:TAG or NAME@sha256:DIGEST');
/** A device of Linux. */
const device = z.string().regex(/^[A-Za-z0-9._-]{1,15}$/, 'a name of a device of Linux');
const labels = z.record(z.string().min(1).max(317), z.string().max(63));
const id = z.string().regex(CLOUD_ID, 'an id of the cloud');

const where = {
  /** With credentials. Default: what kubectl would take. */
  kubeconfig: z.string().min(1).max(4_096).exactOptional(),
  context: z.string().min(1).max(1_000).exactOptional(),
  namespace: name.default('kube-system'),
};

const schema = z.discriminatedUnion('do', [
  z.strictObject({
    ...where,
    do: z.literal('install'),
    dryRun: z.boolean().default(false),
    fabric: z.string().max(100).exactOptional(),
    cluster: name.exactOptional(),
    subnet: id.exactOptional(),
    groups: z.array(id).max(10).default([]),
    config: z.record(z.string(), z.unknown()).default({}),
    image,
    cloudsSecret: name.default('superfluidity-kuryr-clouds'),
    apiServer: z
      .strictObject({
        host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/),
        port: z.int().min(1).max(65_535),
      })
      .exactOptional(),
    cniBin: path.default('/opt/cni/bin'),
    cniConf: path.default('/etc/cni/net.d'),
    runFolder: path.default('/run/superfluidity'),
    nodes: labels.default({}),
    trunk: z.strictObject({ device: device.exactOptional(), bridge: device.exactOptional() }).default({}),
    replicas: z.int().min(1).max(10).default(2),
  }),
  z.strictObject({
    ...where,
    do: z.literal('uninstall'),
    dryRun: z.boolean().default(false),
    waitSeconds: z.int().min(0).max(86_400).default(0),
    abandon: z.boolean().default(false),
    keepDefinitions: z.boolean().default(false),
  }),
  z.strictObject({ ...where, do: z.literal('status') }),
]);

export type ManageRequest = z.infer<typeof schema>;
export type InstallRequest = Extract<ManageRequest, { readonly do: 'install' }>;

/** Throws `SF-KURYR-INSTALL`. */
export function readRequest(value: unknown): ManageRequest {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new SuperfluidityError('SF-KURYR-INSTALL', { doing: 'read what is asked for', reason });
}

/** Throws `SF-KURYR-INSTALL`, `SF-KURYR-CONFIG`. */
export function specOf(request: InstallRequest): InstallSpec {
  const { namespace, image, cloudsSecret, apiServer, cniBin, cniConf, runFolder, nodes, trunk, replicas } = request;
  const { fabric, cluster, subnet, groups, config: file } = request;
  const wish = {
    namespace,
    groups,
    file,
    ...(fabric === undefined ? {} : { fabric }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(subnet === undefined ? {} : { subnet }),
  };
  const paths = { cniBin, cniConf, runFolder };
  const reach = apiServer === undefined ? {} : { apiServer };
  return { namespace, image, config: configurationOf(wish), cloudsSecret, ...reach, ...paths, nodes, trunk, replicas };
}
