/** Where ports are alike: whose they are, where they can be plugged, in which network. */
export interface PortPlace {
  readonly project: string;
  /** Host, or id of the trunk whose subports they are. Empty: anywhere. */
  readonly at: string;
  readonly network: string;
}

export interface PoolPort {
  readonly id: string;
  readonly place: PortPlace;
  /** Ids of its security groups, in the order of the alphabet. */
  readonly groups: readonly string[];
  /** Who has it, as it was written down when it was given away. Empty: the pool. */
  readonly owner: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** Of a subport: its VLAN in the trunk. */
  readonly vlan?: number;
  /**
   * May be handed out. Where ports become ACTIVE without anybody asking for them it is that; where they do only when their
   * user plugs them, it is all that can be before that.
   */
  readonly ready: boolean;
  /** Carries traffic, where that is more than to be ready: somebody plugs ports before they are handed out. */
  readonly active?: boolean;
  /** Something in the cloud has it: it is plugged into a server, say. */
  readonly used: boolean;
}

export interface PortChange {
  /** Empty: the pool, whose name it gets again. */
  readonly owner?: string;
  readonly groups?: readonly string[];
}

/** What makes and changes ports. All ports that it makes carry a mark of their own by which `list` finds them again. */
export interface PortsBackend {
  /** In one request where it can be. All or none. */
  createMany(
    place: PortPlace,
    groups: readonly string[],
    count: number,
    signal: AbortSignal,
  ): Promise<readonly PoolPort[]>;
  update(id: string, change: PortChange, signal: AbortSignal): Promise<PoolPort>;
  /** Undefined when it is gone. */
  show(id: string, signal: AbortSignal): Promise<PoolPort | undefined>;
  remove(port: PoolPort, signal: AbortSignal): Promise<void>;
  list(signal: AbortSignal): Promise<readonly PoolPort[]>;
  /** Tells of each of the ports as it becomes ready. Resolves when all are, rejects when the signal fires. */
  watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void>;
  /** Whether it is this for which ports were not made. */
  isOverQuota(error: unknown): boolean;
  /** How many more ports the project may have. */
  room(project: string, signal: AbortSignal): Promise<number>;
}

export const keyOfPlace = ({ project, at, network }: PortPlace): string => `${project}/${at}/${network}`;
export const shelfOfGroups = (groups: readonly string[]): string => groups.toSorted().join(',');
export const groupsOfShelf = (shelf: string): readonly string[] => (shelf === '' ? [] : shelf.split(','));
