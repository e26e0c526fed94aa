import { z } from 'zod';

/** Objects as Octavia gives them to providers (octavia-lib data_models): the fields that are used here. */
const id = z.uuid();
const text = z.string().max(65_536).nullish();
const count = z.number().int().nullish();
const flag = z.boolean().nullish();
const certificate = z
  .looseObject({
    certificate: z.string().max(1_000_000),
    private_key: z.string().max(1_000_000),
    intermediates: z.array(z.string().max(1_000_000)).nullish(),
  })
  .nullish();

const vip = z.object({ vip_address: text, vip_port_id: text, vip_subnet_id: text, vip_network_id: text });
const balancer = vip.extend({
  loadbalancer_id: id,
  name: text,
  admin_state_up: flag,
  additional_vips: z.array(z.unknown()).max(100).nullish(),
});
const listener = z.object({
  listener_id: id,
  loadbalancer_id: id,
  admin_state_up: flag,
  protocol: text,
  protocol_port: count,
  connection_limit: count,
  default_pool_id: text,
  default_tls_container_data: certificate,
  sni_container_data: z.array(certificate).nullish(),
  insert_headers: z.record(z.string(), z.unknown()).nullish(),
  timeout_client_data: count,
  timeout_member_connect: count,
  timeout_member_data: count,
  timeout_tcp_inspect: count,
  client_ca_tls_container_data: text,
  client_crl_container_data: text,
  client_authentication: text,
  allowed_cidrs: z.array(z.string()).nullish(),
  tls_versions: z.array(z.string()).nullish(),
  tls_ciphers: text,
  alpn_protocols: z.array(z.string()).nullish(),
});
const pool = z.object({
  pool_id: id,
  loadbalancer_id: id,
  admin_state_up: flag,
  protocol: text,
  lb_algorithm: text,
  session_persistence: z.record(z.string(), z.unknown()).nullish(),
  tls_enabled: flag,
  ca_tls_container_data: text,
});
const member = z.object({
  member_id: id,
  pool_id: id,
  admin_state_up: flag,
  address: text,
  protocol_port: count,
  weight: count,
  backup: flag,
  monitor_address: text,
  monitor_port: count,
});
const monitor = z.object({
  healthmonitor_id: id,
  pool_id: id,
  admin_state_up: flag,
  type: text,
  delay: count,
  timeout: count,
  max_retries: count,
  max_retries_down: count,
  http_method: text,
  url_path: text,
  expected_codes: text,
  domain_name: text,
});
const policy = z.object({
  l7policy_id: id,
  listener_id: id,
  admin_state_up: flag,
  action: text,
  position: count,
  redirect_pool_id: text,
  redirect_url: text,
  redirect_prefix: text,
  redirect_http_code: count,
});
const rule = z.object({
  l7rule_id: id,
  l7policy_id: id,
  admin_state_up: flag,
  type: text,
  compare_type: text,
  key: text,
  value: text,
  invert: flag,
});

export type Balancer = z.infer<typeof balancer>;
export type Listener = z.infer<typeof listener>;
export type Pool = z.infer<typeof pool>;
export type Member = z.infer<typeof member>;
export type Monitor = z.infer<typeof monitor>;
export type Policy = z.infer<typeof policy>;
export type Rule = z.infer<typeof rule>;

/** Kinds of things below a load balancer, with how providers and reports name them, and what each belongs to. */
export const KINDS = {
  listener: { call: 'listener', id: 'listener_id', report: 'listeners', within: undefined, shape: listener },
  pool: { call: 'pool', id: 'pool_id', report: 'pools', within: undefined, shape: pool },
  member: { call: 'member', id: 'member_id', report: 'members', within: ['pool', 'pool_id'], shape: member },
  monitor: {
    call: 'health_monitor',
    id: 'healthmonitor_id',
    report: 'healthmonitors',
    within: ['pool', 'pool_id'],
    shape: monitor,
  },
  policy: {
    call: 'l7policy',
    id: 'l7policy_id',
    report: 'l7policies',
    within: ['listener', 'listener_id'],
    shape: policy,
  },
  rule: { call: 'l7rule', id: 'l7rule_id', report: 'l7rules', within: ['policy', 'l7policy_id'], shape: rule },
} as const;
export type Kind = keyof typeof KINDS;
export const kinds = Object.keys(KINDS) as readonly Kind[];

/** One load balancer with everything below it, each thing by its id. */
export interface Tree {
  readonly balancer: Balancer;
  readonly listener: Readonly<Record<string, Listener>>;
  readonly pool: Readonly<Record<string, Pool>>;
  readonly member: Readonly<Record<string, Member>>;
  readonly monitor: Readonly<Record<string, Monitor>>;
  readonly policy: Readonly<Record<string, Policy>>;
  readonly rule: Readonly<Record<string, Rule>>;
}

export const balancerShape = balancer;

export const message = z.object({
  call: z.string().regex(/^[a-z0-9_]{1,40}$/),
  arguments: z.array(z.unknown()).max(4),
});
