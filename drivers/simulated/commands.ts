import type { ErrorCode } from '@superfluidity/core';
import type { BalancerSpec, NetworkSpec, SiteLinkSpec, SitePath } from '@superfluidity/fabric';
import type { PoolClass, UnitSpec } from '@superfluidity/site';

/**
 * All that can happen to a simulated site, as plain JSON. The state of a site is what its commands, in their order,
 * make of an empty one: a server that reads the same commands has the same site.
 */
export type Command = Fenced | Happening;

/** What callers want. Refused, and then without any effect, when the fence is lower than one before it. */
export interface Fenced {
  readonly kind: 'call';
  readonly key: string;
  readonly fence: number;
  readonly atMs: number;
  readonly act: Act;
}

export type Act =
  | { readonly verb: 'reserve'; readonly specs: readonly UnitSpec[]; readonly pooled: readonly boolean[] }
  | { readonly verb: 'settle'; readonly ids: readonly string[] }
  | { readonly verb: 'drain'; readonly id: string }
  | { readonly verb: 'remove'; readonly ids: readonly string[] }
  | { readonly verb: 'prepare'; readonly service: string; readonly classes: readonly PoolClass[] }
  | { readonly verb: 'ensureNetwork'; readonly spec: NetworkSpec }
  | { readonly verb: 'removeNetwork'; readonly id: string }
  | { readonly verb: 'ensureLink'; readonly spec: SiteLinkSpec }
  | { readonly verb: 'removeLink'; readonly id: string }
  | { readonly verb: 'ensurePath'; readonly path: SitePath }
  | {
      readonly verb: 'activatePath';
      readonly chainId: string;
      readonly version: number;
      readonly oneWayMs: number | null;
    }
  | { readonly verb: 'removePath'; readonly chainId: string; readonly version: number }
  | { readonly verb: 'ensureBalancer'; readonly spec: BalancerSpec }
  | { readonly verb: 'removeBalancer'; readonly id: string };

/** What befalls the site, whoever is in charge. */
export type Happening =
  | { readonly kind: 'host'; readonly host: string; readonly up: boolean; readonly atMs: number }
  | { readonly kind: 'crash'; readonly id: string; readonly reason: string; readonly atMs: number }
  /** The active version of a chain takes longer, less, or (null) leads nowhere any more. */
  | { readonly kind: 'reach'; readonly chainId: string; readonly oneWayMs: number | null; readonly atMs: number }
  | { readonly kind: 'purge'; readonly atMs: number };

/** What became of each spec of `reserve`: plain, so that it costs nothing for a hundred thousand. */
export type Reserved = { readonly kind: 'start'; readonly attempt: number } | { readonly kind: 'ready' } | Refused;

export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly reason: string;
}

export function refused(code: ErrorCode, reason: string): Refused {
  return { kind: 'refused', code, reason };
}
