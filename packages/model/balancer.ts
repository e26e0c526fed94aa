import type { Milliseconds } from '@superfluidity/core';
import type { Carrying, HealthCheck } from './block.ts';

/**
 * What balancers can be told, the union of what HAProxy, Octavia and the kernel do. Which of them does what is data:
 * `balancer-features.ts`.
 */
export interface BalancerSettings {
  /** How a new flow or request gets its member. Default: `round-robin`. */
  readonly algorithm?: BalancerAlgorithm;
  readonly persistence?: BalancerPersistence;
  /** Asked in this order; the first that holds decides. Rejections go before redirections, and these before pools. */
  readonly routes?: readonly BalancerRoute[];
  readonly tls?: BalancerTls;
  /** Connections at once; more wait. */
  readonly connectionLimit?: number;
  readonly timeouts?: BalancerTimeouts;
  /** Prefixes or addresses of those who may come. Absent: everybody. */
  readonly allow?: readonly string[];
  /** Members get a header of the PROXY protocol of this version before each connection, which names the client. */
  readonly proxyProtocol?: 1 | 2;
  /** Members get X-Forwarded-For, -Port and -Proto with each request. */
  readonly forwarded?: boolean;
}

export type BalancerAlgorithm =
  | 'round-robin'
  | 'least-connections'
  | 'random'
  | 'source-ip'
  | 'source-ip-port'
  | 'uri'
  | `header:${string}`
  | `parameter:${string}`;

export interface BalancerPersistence {
  /** `cookie` is set by the balancer, `app-cookie` by the application. */
  readonly kind: 'source-ip' | 'cookie' | 'app-cookie';
  /** Name of the cookie. `app-cookie` needs it. */
  readonly cookie?: string;
  /** After so long without a packet or request the client may get another member. */
  readonly timeoutMs?: Milliseconds;
}

export interface BalancerRoute {
  readonly name: string;
  /** All of them hold. */
  readonly rules: readonly BalancerRule[];
  readonly action:
    | { readonly kind: 'reject' }
    /** To this URL; or to this prefix with the path of the request after it. */
    | { readonly kind: 'redirect' | 'redirect-prefix'; readonly url: string; readonly code?: RedirectCode }
    /** To the members of one of `pools`. */
    | { readonly kind: 'pool'; readonly pool: string };
}

export type RedirectCode = 301 | 302 | 303 | 307 | 308;

export interface BalancerRule {
  readonly kind: 'host' | 'path' | 'file-type' | 'header' | 'cookie';
  readonly compare: 'equals' | 'starts' | 'ends' | 'contains' | 'regex';
  /** Of the header or cookie. */
  readonly name?: string;
  readonly value: string;
  readonly invert?: boolean;
}

/** Certificates are `secret:NAME`, PEM with key and chain; of a cloud also the address of a secret in its key manager. */
export interface BalancerTls {
  /** The first is for clients that name no host, or another. */
  readonly certificates: readonly string[];
  readonly minVersion?: '1.2' | '1.3';
  readonly ciphers?: string;
  readonly alpn?: readonly ('h2' | 'http/1.1' | 'http/1.0')[];
  /** Clients show a certificate that this authority signed. */
  readonly clients?: { readonly authority: string; readonly required: boolean };
}

export interface BalancerTimeouts {
  readonly clientMs?: Milliseconds;
  readonly connectMs?: Milliseconds;
  readonly memberMs?: Milliseconds;
}

/** Beside the checks of units, those that balancers alone make; and how often, and how many make a change. */
export type BalancerHealth = (
  | HealthCheck
  | {
      readonly kind: 'https';
      readonly port: number;
      readonly path: string;
      readonly timeoutMs: Milliseconds;
    }
  | { readonly kind: 'tls-hello' | 'udp-connect'; readonly port: number; readonly timeoutMs: Milliseconds }
) &
  Probing;

export interface Probing {
  readonly intervalMs?: Milliseconds;
  /** Answers in a row that take a member in. */
  readonly rise?: number;
  /** Failures in a row that take it out. */
  readonly fall?: number;
  /** Of http and https. Default: GET. */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'DELETE' | 'TRACE' | 'PATCH' | 'CONNECT';
  /** `200`, `200,202`, `200-204`. Default: any of 200 to 399. */
  readonly codes?: string;
  /** Host header of http and https. */
  readonly host?: string;
}

/** Instances of a unit as members. */
export interface BalancerShare {
  readonly unit: string;
  readonly targetPort?: number;
  /** 0 to 256, of each instance, against those of the others. Default: 1. At 0 flows that exist go on. */
  readonly weight?: number;
  /** Gets flows only when no other member works. */
  readonly backup?: boolean;
}

/** A virtual address over the instances of a unit, or of several. */
export interface Balancer extends BalancerSettings, Carrying {
  readonly name: string;
  readonly unit: string;
  readonly address: string;
  readonly port: number;
  readonly targetPort: number;
  /** tcp and udp are balanced per flow, http per request. */
  readonly layer: 'tcp' | 'udp' | 'http';
  readonly health?: BalancerHealth;
  /** Of the instances of `unit`. */
  readonly weight?: number;
  /** Further units behind it, each with its weight: a new version that gets a part of the requests. */
  readonly also?: readonly BalancerShare[];
  /** Where routes lead. Algorithm, persistence and health are those of the balancer. */
  readonly pools?: readonly (BalancerShare & { readonly name: string })[];
}

/** Paths of the units behind it. */
export function unitsBehind({ unit, also = [], pools = [] }: Balancer): readonly string[] {
  return [...new Set([unit, ...also.map((one) => one.unit), ...pools.map((one) => one.unit)])];
}
