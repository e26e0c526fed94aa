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
  /** The stack that somebody else made, which this one is from now on. */
  readonly adopted?: FoundStack;
}

/** A stack as it was when it was found. */
export interface FoundStack {
  /** Of the site's orchestrator. */
  readonly id: string;
  readonly name: string;
  readonly template: Readonly<Record<string, unknown>>;
  /** Without those that are hidden: their values stay where they are. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

export interface StackNetwork {
  readonly spec: NetworkSpec;
  /** Names in the template. */
  readonly network: string;
  readonly subnet: string;
  /** Of the stack as it was found: nothing of it is changed, and it is only marked. */
  readonly isAdopted?: boolean;
}

export interface StackUnit {
  readonly spec: UnitSpec;
  readonly server: string;
  /** In the order of the unit's ports. */
  readonly ports: readonly string[];
  readonly isAdopted?: boolean;
}

export interface StackChange {
  readonly change: 'add' | 'update' | 'replace' | 'delete' | 'keep';
  /** Name and type in the template. */
  readonly name: string;
  readonly type: string;
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
  /**
   * A stack of nobody here, by the id or the name that its orchestrator has, with the host of each server by its name in the
   * template. Refused when there is none, when it does not rest, or when it belongs to a service.
   */
  find(
    idOrName: string,
    signal: AbortSignal,
  ): Promise<{ readonly stack: FoundStack; readonly hosts: Readonly<Record<string, string>> }>;
  /** One that was adopted is as it was found again, and nobody's. */
  release(id: string, adopted: FoundStack, call: FabricCall, tell: Tell): Promise<void>;
}
