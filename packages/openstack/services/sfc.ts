import { z } from 'zod';
import { NeutronCollection } from './neutron-collection.ts';

/** Service chains of networking-sfc (extensions `sfc` and `flow_classifier`), under /v2.0/sfc. */

export interface NewFlowClassifier {
  readonly name: string;
  /** Up to 255 characters. */
  readonly description?: string;
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  readonly source_port_range_min?: number;
  readonly source_port_range_max?: number;
  readonly destination_port_range_min?: number;
  readonly destination_port_range_max?: number;
  readonly source_ip_prefix?: string;
  readonly destination_ip_prefix?: string;
  /** Where the packets come from. The OVS driver wants it. */
  readonly logical_source_port: string;
  /** Wanted by symmetric chains. */
  readonly logical_destination_port?: string;
}

/** Ingress and egress may be one port; two ports need the same device. */
export interface NewPortPair {
  readonly name: string;
  readonly ingress: string;
  readonly egress: string;
  readonly service_function_parameters?: { readonly correlation?: 'mpls' | 'nsh' | null; readonly weight?: number };
}

/** Instances of one function, between which flows are balanced. */
export interface NewPortPairGroup {
  readonly name: string;
  readonly port_pairs: readonly string[];
  readonly port_pair_group_parameters?: { readonly lb_fields?: readonly string[] };
}

export interface NewPortChain {
  readonly name: string;
  readonly port_pair_groups: readonly string[];
  readonly flow_classifiers: readonly string[];
  readonly chain_parameters?: { readonly correlation?: 'mpls' | 'nsh'; readonly symmetric?: boolean };
}

const named = { id: z.string(), name: z.string(), project_id: z.string() };
const flowClassifier = z.object({
  ...named,
  description: z.string().nullish(),
  protocol: z.string().nullish(),
  source_ip_prefix: z.string().nullish(),
  destination_ip_prefix: z.string().nullish(),
  logical_source_port: z.string().nullish(),
});
const portPair = z.object({ ...named, ingress: z.string(), egress: z.string() });
const portPairGroup = z.object({ ...named, port_pairs: z.array(z.string()) });
const portChain = z.object({
  ...named,
  chain_id: z.number().int(),
  port_pair_groups: z.array(z.string()),
  flow_classifiers: z.array(z.string()),
  chain_parameters: z.looseObject({ symmetric: z.boolean().optional() }).nullish(),
});
export type FlowClassifier = z.infer<typeof flowClassifier>;
export type PortPair = z.infer<typeof portPair>;
export type PortPairGroup = z.infer<typeof portPairGroup>;
export type PortChain = z.infer<typeof portChain>;

const collection = <T, Fields extends object>(one: string, schema: z.ZodType<T>) =>
  new NeutronCollection<T, Fields>(one, `${one}s`, `/v2.0/sfc/${one}s`, schema);

export const flowClassifiers = collection<FlowClassifier, NewFlowClassifier>('flow_classifier', flowClassifier);
export const portPairs = collection<PortPair, NewPortPair>('port_pair', portPair);
export const portPairGroups = collection<PortPairGroup, NewPortPairGroup>('port_pair_group', portPairGroup);
export const portChains = collection<PortChain, NewPortChain>('port_chain', portChain);
