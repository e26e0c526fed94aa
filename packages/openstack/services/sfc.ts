import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';

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

/** One kind of object of the extension: all four are created, listed, changed and deleted alike. */
class Collection<New extends { readonly name: string }, T> {
  readonly #singular: string;
  readonly #schema: z.ZodType<T>;

  constructor(singular: string, schema: z.ZodType<T>) {
    this.#singular = singular;
    this.#schema = schema;
  }

  create(cloud: Cloud, wanted: New, signal: AbortSignal): Promise<T> {
    return this.#write(cloud, 'POST', '', wanted, `create ${this.#words()} ${wanted.name}`, signal);
  }

  update(cloud: Cloud, id: string, wanted: Partial<New>, signal: AbortSignal): Promise<T> {
    return this.#write(cloud, 'PUT', path`/${id}`, wanted, `update ${this.#words()} ${id}`, signal);
  }

  async list(cloud: Cloud, filter: { readonly name?: string }, signal: AbortSignal): Promise<readonly T[]> {
    const call = { service: 'network', method: 'GET', path: this.#all(), query: filter } as const;
    const answer = z.record(z.string(), z.array(this.#schema));
    return Object.values(await cloud.json({ ...call, doing: `list ${this.#words()}s`, signal }, answer)).flat();
  }

  async delete(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
    const call = { service: 'network', method: 'DELETE', path: `${this.#all()}${path`/${id}`}` } as const;
    await cloud.send({ ...call, doing: `delete ${this.#words()} ${id}`, signal });
  }

  async #write(
    cloud: Cloud,
    method: 'POST' | 'PUT',
    at: string,
    wanted: Partial<New>,
    doing: string,
    signal: AbortSignal,
  ): Promise<T> {
    const body = { [this.#singular]: wanted };
    const call = { service: 'network', method, path: `${this.#all()}${at}`, body, doing, signal } as const;
    const answer = await cloud.json(call, z.object({ [this.#singular]: this.#schema }));
    return answer[this.#singular] as T;
  }

  #all(): string {
    return `/v2.0/sfc/${this.#singular}s`;
  }

  #words(): string {
    return this.#singular.replaceAll('_', ' ');
  }
}

export const flowClassifiers = new Collection<NewFlowClassifier, FlowClassifier>('flow_classifier', flowClassifier);
export const portPairs = new Collection<NewPortPair, PortPair>('port_pair', portPair);
export const portPairGroups = new Collection<NewPortPairGroup, PortPairGroup>('port_pair_group', portPairGroup);
export const portChains = new Collection<NewPortChain, PortChain>('port_chain', portChain);
