import type { PlaybookRun, SiteDeclaration, SiteLink } from '@superfluidity/api';
import type { BalancerMember, BalancerSpec, NetworkSpec, PortStatus } from '@superfluidity/fabric';
import type { FoundStack, PoolClass, UnitSpec, WorkflowRequest } from '@superfluidity/site';

/**
 * What a step does, as data. Each verb has its opposite, so that an operation can be taken back at any point: the undo
 * of a creation is a removal, the undo of a removal is a creation. `actions-run.ts` carries them out.
 */
export type Action =
  | ({ readonly verb: 'create-network' } & NetworkPart)
  | ({ readonly verb: 'remove-network' } & NetworkPart)
  | { readonly verb: 'create-units'; readonly site: string; readonly units: readonly PlannedUnit[] }
  | { readonly verb: 'drain-units'; readonly site: string; readonly units: readonly PlannedUnit[] }
  | { readonly verb: 'remove-units'; readonly site: string; readonly units: readonly PlannedUnit[] }
  | {
      /** In place of the networks and units of a site: as one stack, made or changed. Undefined: it is deleted. */
      readonly verb: 'set-stack';
      readonly site: string;
      readonly stack: PlannedStack | undefined;
      readonly previous: PlannedStack | undefined;
    }
  | { readonly verb: 'adopt-stack'; readonly site: string; readonly stack: AdoptedPart }
  | { readonly verb: 'release-stack'; readonly site: string; readonly stack: AdoptedPart }
  | {
      readonly verb: 'run-workflow';
      readonly site: string;
      readonly workflow: Omit<WorkflowRequest, 'id'>;
      readonly timeoutMs: number;
    }
  | {
      readonly verb: 'run-playbook';
      readonly service: string;
      readonly order: PlaybookOrder;
      readonly timeoutMs: number;
    }
  | { readonly verb: 'add-site'; readonly declaration: SiteDeclaration }
  | { readonly verb: 'drop-site'; readonly declaration: SiteDeclaration }
  | { readonly verb: 'install-chain'; readonly chain: PlannedChain; readonly learned?: LearnedPorts }
  | {
      readonly verb: 'activate-chain';
      readonly chain: PlannedChain;
      readonly previous?: PlannedChain;
      readonly learned?: LearnedPorts;
    }
  | { readonly verb: 'settle-chain'; readonly chain: PlannedChain; readonly timeoutMs: number }
  | { readonly verb: 'remove-chain'; readonly chain: PlannedChain; readonly wasActive: boolean }
  | {
      readonly verb: 'set-balancer';
      readonly site: string;
      readonly balancer: PlannedBalancer | undefined;
      readonly previous: PlannedBalancer | undefined;
      readonly learned?: LearnedPorts;
    }
  | {
      /** Last: before that, what has to be set by it is set again when the operation is. */
      readonly verb: 'learn-ports';
      readonly ports: LearnedPorts;
    }
  | {
      readonly verb: 'prepare-pools';
      readonly site: string;
      readonly service: string;
      readonly classes: readonly PoolClass[];
      readonly previous: readonly PoolClass[];
    }
  | {
      readonly verb: 'set-link';
      readonly site: string;
      readonly link: SiteLink;
      readonly previous: SiteLink | undefined;
    }
  | { readonly verb: 'drop-link'; readonly site: string; readonly link: SiteLink }
  | {
      readonly verb: 'keep-link';
      readonly link: SiteLink | undefined;
      readonly previous: SiteLink | undefined;
    }
  | {
      readonly verb: 'verify-service';
      readonly service: string;
      /** Else a violation is told and kept, and the operation goes on. */
      readonly mustHold: boolean;
    };

/** Ports that sites have given other addresses than records know, by id of the unit. */
export type LearnedPorts = Readonly<Record<string, readonly PortStatus[]>>;

export type Verb = Action['verb'];

interface NetworkPart {
  readonly site: string;
  readonly spec: NetworkSpec;
  /** The site that has made it, where units of both are on its segment. */
  readonly of?: string;
}

/** A unit with the whole of what its site is told, so that it can be created again by whoever has to. */
export interface PlannedUnit {
  readonly site: string;
  /** Counts the incarnations of one path and index: a unit that was moved or healed is the next one. */
  readonly generation: number;
  readonly spec: UnitSpec;
  /** Its resources in a stack that was adopted: that is how it was made, and it stays so. */
  readonly found?: FoundUnit;
}

/** A playbook and what it is told; secrets are references. */
export type PlaybookOrder = Omit<PlaybookRun, 'timeoutMs' | 'site'>;

export interface FoundUnit {
  readonly server: string;
  readonly ports: readonly string[];
}

/** A stack that was there before its service, and what of it the networks of the service are. */
export interface AdoptedStack {
  readonly stack: FoundStack;
  readonly networks: Readonly<Record<string, FoundNetwork>>;
  /** Servers and ports of the units that it was found with. */
  readonly units: readonly FoundUnit[];
}

export interface FoundNetwork {
  readonly prefix: string;
  readonly network: string;
  readonly subnet: string;
}

/** The part of a service that lies at a site, where the site's own orchestrator makes it. */
export interface PlannedStack {
  /** Unique over all services and sites of this control plane: `<service>@<site>`. */
  readonly id: string;
  readonly service: string;
  readonly networks: readonly NetworkSpec[];
  readonly units: readonly StackedUnit[];
  /** Heat itself takes back what it did when something fails. */
  readonly rollback?: boolean;
  readonly adopted?: AdoptedStack;
}

export type AdoptedPart = PlannedStack & { readonly adopted: AdoptedStack };

export interface StackedUnit extends PlannedUnit {
  /** Ids of units of the stack that have to be there first. */
  readonly after: readonly string[];
}

/** A version of a chain as the units that it passes; addresses and SIDs are looked up when it is installed. */
export interface PlannedChain {
  /** Unique over all services: `<service>.<chain>`. */
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly address: string;
  readonly protocol: 'tcp' | 'udp' | 'any';
  readonly ports: readonly number[];
  readonly hops: readonly PlannedHop[];
}

export interface PlannedHop {
  readonly unitId: string;
  readonly unit: string;
  readonly site: string;
  readonly host: string;
  readonly port: string;
  readonly translates?: string;
  /** Further instances of the function, where its site spreads flows over them. */
  readonly others?: readonly Pick<PlannedHop, 'unitId' | 'unit' | 'port'>[];
}

/** Of an instance, for people: `video/server#0`. */
export const unitName = (unit: { readonly path: string; readonly index: number }): string =>
  `${unit.path}#${unit.index}`;

/** The unit of a hop, and those that do the same beside it. */
export function unitsAt({ unitId, others = [] }: PlannedHop): readonly string[] {
  return [unitId, ...others.map((other) => other.unitId)];
}

/** A balancer whose members are named by unit; their addresses are looked up when it is set. */
export type PlannedBalancer = Omit<BalancerSpec, 'members' | 'pools'> & {
  readonly members: readonly PlannedMember[];
  readonly pools?: readonly { readonly name: string; readonly members: readonly PlannedMember[] }[];
};

export type PlannedMember = Omit<BalancerMember, 'address' | 'draining'> & { readonly unitId: string };

export interface PlannedStep {
  readonly id: string;
  /** For people: `create container video/server#0 on core/h1`. */
  readonly title: string;
  readonly dependsOn: readonly string[];
  readonly action: Action;
}
