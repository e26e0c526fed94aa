import type { FabricCall, NetworkSpec } from '@superfluidity/fabric';
import type { UnitSpec, UnitStatus } from './driver.ts';

/** What came to pass at a site while it worked on something long, for people who watch. */
export interface Progress {
  /** In ms since the epoch, by the site's clock. */
  readonly at: number;
  /** A resource of a stack, a task of a workflow. */
  readonly what: string;
  /** In the words of the site: `CREATE_COMPLETE`, `SUCCESS`. */
  readonly state: string;
  readonly reason?: string;
}

export type Tell = (progress: Progress) => void;

/** The part of a service that lies at one site, as one thing that the site's own orchestrator makes and keeps. */
export interface StackSpec {
  /** The caller's id; the key of idempotency. */
  readonly id: string;
  readonly service: string;
  /**
   * Heat Orchestration Template. The driver adds what only the site knows: images, flavours, hosts, marks by which things
   * are found again.
   */
  readonly template: Readonly<Record<string, unknown>>;
  readonly networks: readonly StackNetwork[];
  readonly units: readonly StackUnit[];
  /** The site itself takes back what it did when something fails. Else that is left to the caller. */
  readonly rollback: boolean;
}

export interface StackNetwork {
  readonly spec: NetworkSpec;
  /** Names in the template. */
  readonly network: string;
  readonly subnet: string;
}

export interface StackUnit {
  readonly spec: UnitSpec;
  readonly server: string;
  /** In the order of the unit's ports. */
  readonly ports: readonly string[];
}

export interface StackChange {
  readonly change: 'add' | 'update' | 'replace' | 'delete' | 'keep';
  /** Name and type in the template. */
  readonly name: string;
  readonly type: string;
}

/** A stack that somebody made, as it is. */
export interface FoundStack {
  readonly name: string;
  /** X_COMPLETE, X_FAILED or X_IN_PROGRESS. */
  readonly state: string;
  readonly template: Readonly<Record<string, unknown>>;
  /** Those that the template names, by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly servers: readonly FoundServer[];
  readonly networks: readonly FoundNetwork[];
  /** The id of the service that has it already. */
  readonly owner?: string;
}

export interface FoundServer {
  /** Name in the template. */
  readonly resource: string;
  readonly host: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** In the order in which the server has them. */
  readonly ports: readonly { readonly network: string; readonly address: string; readonly mac: string }[];
}

export interface FoundNetwork {
  readonly resource: string;
  readonly name: string;
  readonly prefix: string;
  readonly mtu: number;
}

/** Sites whose orchestrator takes templates. A stack is made, changed in place and deleted as a whole. */
export interface SiteStacks {
  /** The configuration of the site wants services to be deployed so. */
  readonly isPreferred: boolean;
  /** What would be done; nothing is changed. */
  preview(spec: StackSpec, signal: AbortSignal): Promise<readonly StackChange[]>;
  /**
   * Makes the stack, or changes it in place, and resolves when it is complete and the health checks of its units pass: in
   * their order. Asked again it goes on with what is under way. On failure it is left as it is, for the next attempt or
   * `remove`, but for what the site itself rolled back.
   */
  ensure(spec: StackSpec, call: FabricCall, tell: Tell): Promise<readonly UnitStatus[]>;
  /** Deletes it with all that it made. One that is not there is gone. */
  remove(id: string, call: FabricCall, tell: Tell): Promise<void>;
  /** By its name at the site. Throws `SF-SITE-STACK-UNKNOWN`. */
  find(name: string): Promise<FoundStack>;
  /**
   * Takes charge of a stack that somebody else made: marks it, its servers, ports and networks as those of the service.
   * Changes nothing else. Asked twice it is the same.
   */
  adopt(name: string, spec: Omit<StackSpec, 'template' | 'rollback'>, call: FabricCall): Promise<readonly UnitStatus[]>;
  /** The opposite: the marks are taken away, and all that runs is left. */
  release(id: string, call: FabricCall): Promise<void>;
}
