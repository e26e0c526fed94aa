import type {
  BalancerAlgorithm,
  BalancerPersistence,
  BalancerRoute,
  BalancerRule,
  Probing,
} from '@superfluidity/model';
import type { Milliseconds } from '@superfluidity/core';

/**
 * What one proxy process does: listeners, and pools of members behind them. It is what Octavia calls a load balancer. Ids are
 * names of HAProxy: letters, digits, `_` and `-`.
 */
export interface ProxyTree {
  readonly listeners: readonly ProxyListener[];
  readonly pools: readonly ProxyPool[];
}

export interface ProxyListener {
  readonly id: string;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly mode: 'tcp' | 'http';
  /** Certificates and authorities as PEM. */
  readonly tls?: ProxyTls;
  readonly connectionLimit?: number;
  readonly clientMs?: Milliseconds;
  /** How long the first bytes of a flow are waited for. */
  readonly inspectMs?: Milliseconds;
  readonly allow?: readonly string[];
  /** Headers that members get of each request. */
  readonly forwarded?: { readonly client: boolean; readonly port: boolean; readonly scheme: boolean };
  /** Id of the pool for what no route takes. Absent: it is refused. */
  readonly pool?: string;
  readonly routes: readonly ProxyRoute[];
}

export interface ProxyTls {
  readonly certificates: readonly string[];
  readonly minVersion?: '1.2' | '1.3';
  readonly ciphers?: string;
  readonly alpn?: readonly string[];
  readonly clients?: { readonly authority: string; readonly revoked?: string; readonly required: boolean };
}

export interface ProxyRoute {
  readonly action: BalancerRoute['action'];
  readonly rules: readonly ProxyRule[];
}

export type ProxyRule =
  | BalancerRule
  /** Of the certificate that the client showed; `tls-verified` compares the number of the result (0 is good). */
  | {
      readonly kind: 'tls-shown' | 'tls-verified' | 'tls-subject';
      readonly compare: BalancerRule['compare'];
      readonly name?: string;
      readonly value: string;
      readonly invert?: boolean;
    };

export interface ProxyPool {
  readonly id: string;
  readonly mode: 'tcp' | 'http';
  readonly algorithm: BalancerAlgorithm;
  readonly persistence?: BalancerPersistence;
  readonly monitor?: ProxyMonitor;
  readonly members: readonly ProxyMember[];
  readonly proxyProtocol?: 1 | 2;
  /** Connections to members are TLS; with an authority, which signed what they show. */
  readonly tls?: { readonly authority?: string };
  readonly connectMs?: Milliseconds;
  readonly memberMs?: Milliseconds;
}

export interface ProxyMonitor extends Probing {
  readonly kind: 'ping' | 'tcp' | 'http' | 'https' | 'tls-hello';
  readonly path?: string;
  readonly timeoutMs: Milliseconds;
}

export interface ProxyMember {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** 0 to 256. At 0, or draining, it keeps its flows, and who belongs to it, and gets no others. */
  readonly weight: number;
  readonly draining: boolean;
  readonly backup: boolean;
  /** Takes nothing at all. */
  readonly disabled?: boolean;
  readonly monitorAddress?: string;
  readonly monitorPort?: number;
}
