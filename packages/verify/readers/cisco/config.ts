import type { SourceRef } from '../../ir/source.ts';
import type { AccessList } from './access-list.ts';

/** `encapsulation dot1Q 7`: frames of a subinterface carry this tag; `native`, none. */
export type Encapsulation = number | 'native';

/** What a port does as one of a switch. */
export interface Switchport {
  /** Undefined: it is agreed upon with the neighbour (DTP). */
  readonly mode?: 'access' | 'trunk';
  readonly access: number;
  readonly native: number;
  readonly allowed: ReadonlySet<number>;
  readonly source: SourceRef;
}

export interface AppliedList {
  readonly name: string;
  readonly source: SourceRef;
}

export interface CiscoInterface {
  readonly name: string;
  readonly source: SourceRef;
  readonly isUp: boolean;
  readonly addresses: readonly { readonly address: number; readonly length: number; readonly source: SourceRef }[];
  /** Shared with other routers (HSRP, VRRP): one of them answers. */
  readonly virtual: readonly number[];
  readonly in?: AppliedList;
  readonly out?: AppliedList;
  readonly encapsulation?: Encapsulation;
  readonly switchport?: Switchport;
  /** Its port-channel. */
  readonly channel?: string;
  /** RFC 3704: a source must be routed by this interface (`strict`), or by any. */
  readonly reversePath?: { readonly strict: boolean; readonly allowDefault: boolean; readonly source: SourceRef };
  /** What of it is not understood, and may do anything with packets that come by it; or go by it, if it is not `isEntry`. */
  readonly doubts: readonly { readonly what: string; readonly isEntry: boolean }[];
}

export interface StaticRoute {
  readonly address: number;
  readonly length: number;
  readonly hop?: number;
  /** Of which it leaves; `Null0` takes it away. */
  readonly interface?: string;
  readonly distance: number;
  readonly source: SourceRef;
}

/** The running configuration of one switch or router with IOS. */
export interface CiscoConfig {
  readonly file: string;
  readonly interfaces: readonly CiscoInterface[];
  readonly lists: ReadonlyMap<string, AccessList>;
  readonly routes: readonly StaticRoute[];
  /** Protocols from which it learns routes that the configuration does not say. */
  readonly learns: readonly string[];
  /** What is not understood of the box as a whole. */
  readonly doubts: readonly string[];
}
