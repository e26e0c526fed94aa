import {
  KURYR_API,
  KURYR_GROUP,
  KURYR_POOLS,
  KURYR_PORT,
  KURYR_VERSION,
  kuryrPoolSchema,
  kuryrPortSchema,
} from '@superfluidity/driver-kubernetes/kuryr';
import type { z } from 'zod';
import { kuryrLoadBalancerSchema } from './load-balancer.ts';
import { kuryrNetworkSchema } from './network.ts';
import { kuryrNetworkPolicySchema } from './network-policy.ts';
import { structuralOf } from './structural.ts';

export interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly short: string;
  readonly schema: z.ZodObject;
  /**
   * Its status is written with all else, and not by a path of its own, by which a new object cannot have one: one request makes it
   * whole. For what has one writer alone.
   */
  readonly isWhole?: true;
  /** Columns of `kubectl get`. */
  readonly columns: readonly { readonly name: string; readonly type: string; readonly jsonPath: string }[];
}

const text = (name: string, jsonPath: string) => ({ name, type: 'string', jsonPath });

export const RESOURCES = {
  ports: {
    ...KURYR_PORT,
    short: 'kp',
    schema: kuryrPortSchema,
    isWhole: true,
    columns: [text('Node', '.spec.node'), text('Addresses', '.status.interfaces.eth0.addresses')],
  },
  networks: {
    kind: 'KuryrNetwork',
    plural: 'kuryrnetworks',
    short: 'kn',
    schema: kuryrNetworkSchema,
    columns: [text('Project', '.spec.project'), text('CIDR', '.status.cidr')],
  },
  balancers: {
    kind: 'KuryrLoadBalancer',
    plural: 'kuryrloadbalancers',
    short: 'klb',
    schema: kuryrLoadBalancerSchema,
    columns: [
      text('Address', '.spec.address'),
      text('External', '.status.external.address'),
      { name: 'Members', type: 'integer', jsonPath: '.status.members' },
    ],
  },
  policies: {
    kind: 'KuryrNetworkPolicy',
    plural: 'kuryrnetworkpolicies',
    short: 'knp',
    schema: kuryrNetworkPolicySchema,
    columns: [text('Isolates', '.spec.isolates'), text('Group', '.status.groupId')],
  },
  pools: {
    kind: 'KuryrPool',
    plural: KURYR_POOLS,
    short: 'kpool',
    schema: kuryrPoolSchema,
    columns: [
      text('Pool', '.spec.pool'),
      { name: 'Ready', type: 'integer', jsonPath: '.status.ready' },
      { name: 'In use', type: 'integer', jsonPath: '.status.inUse' },
      { name: 'Hits', type: 'integer', jsonPath: '.status.hits' },
      { name: 'Misses', type: 'integer', jsonPath: '.status.misses' },
    ],
  },
} as const satisfies Readonly<Record<string, Resource>>;

/** `/apis/superfluidity.dev/v1/kuryrports`, of all namespaces or of one. */
export function resourcePath({ plural }: { readonly plural: string }, namespace?: string, name?: string): string {
  const within = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/apis/${KURYR_API}${within}/${plural}${name === undefined ? '' : `/${name}`}`;
}

/** Manifests of apiextensions.k8s.io/v1, made from the schemas with which objects are read: one source. */
export function customResourceDefinitions(): readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: unknown;
}[] {
  return Object.values<Resource>(RESOURCES).map(({ kind, plural, short, schema, isWhole, columns }) => {
    const { spec, status } = schema.shape;
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${KURYR_GROUP}` },
      spec: {
        group: KURYR_GROUP,
        scope: 'Namespaced',
        names: { kind, plural, singular: kind.toLowerCase(), shortNames: [short] },
        versions: [
          {
            name: KURYR_VERSION,
            served: true,
            storage: true,
            ...(isWhole === true ? {} : { subresources: { status: {} } }),
            additionalPrinterColumns: columns,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                required: ['spec'],
                properties: {
                  spec: structuralOf(spec as z.ZodType),
                  status: structuralOf((status as z.ZodOptional<z.ZodObject>).unwrap()),
                },
              },
            },
          },
        ],
      },
    };
  });
}
