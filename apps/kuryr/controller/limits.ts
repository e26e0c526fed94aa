/** Bounds of the controller. */
export const LIMITS = {
  /** Objects of one kind that are handled at a time. */
  handlersAtOnce: 32,
  /** Of one object; what is not done by then is begun anew. */
  handleMs: 300_000,
  /** After a failure an object rests, each time longer by the factor. */
  retryFirstMs: 200,
  retryFactor: 2,
  retryLastMs: 30_000,
  /**
   * What lies ready for a new pod is looked up in this time, so that its KuryrPort is made with it; where that takes longer, the KuryrPort is
   * made without.
   */
  readyMs: 50,
  /** Until a request whose answer was lost arrives no more: the API server itself gives requests up after 60 s. */
  lateMs: 65_000,
  /** Until a resource is made again of whose name there was another one, which is on its way out. */
  nameTakenMs: 1_000,
  /** How often objects are looked at though nothing has changed. */
  resyncMs: 300_000,
  /**
   * How long groups of a cloud that were compared with what is wanted are taken to be so: less than `resyncMs`, so that each look at all
   * objects compares again.
   */
  comparedMs: 240_000,
  /** A policy is resolved against all pods: anew no more often than this, however many of them change. */
  policiesMs: 50,
  /** How often pools are told of, where something has changed. */
  poolsMs: 5_000,
  /** From the first port that lies ready anew until the daemon of its node is told of it, and of those that came since. */
  sparesMs: 250,
  /** Pools of the leader before that nobody has asked until then are told of no more. */
  poolsForgottenMs: 60_000,
  /** Whose nodes are remembered: more than a cluster has, which Kubernetes limits to 5,000. */
  trunks: 10_000,
  /** How long a port may take to carry traffic once it is plugged, before that is told. */
  activeMs: 120_000,
  activePollMs: 250,
  activePollLastMs: 2_000,
  /** A pod that waits longer for its interfaces is told so: the cloud is slow, or does not answer. */
  slowMs: 5_000,
  /** Rules of one policy, with its selectors resolved: what a security group takes of quotas. */
  policyRules: 1_000,
  /** What names of ports mean in the pods of one policy: each is a group of its own in a cloud. */
  policyNames: 64,
  /** Interfaces of one pod beside that of the cluster: daemons plug twice as many. */
  attachments: 16,
  /** Of the annotation that asks for them, and of the configuration of one. */
  attachmentCharacters: 16_384,
  /** Members of one port of a Service. */
  members: 5_000,
  servicePorts: 256,
  /** From the end of leadership, or from a signal, until the process gives up. */
  stopMs: 10_000,
} as const;
