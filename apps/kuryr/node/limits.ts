/** Bounds of what carries out Services and policies on a node. */
export const LIMITS = {
  /** One transaction of nft(8); one list of flows. */
  programMs: 30_000,
  outputBytes: 64 * 2 ** 20,
  /** Changes that come within this time are one transaction. */
  gatherMs: 20,
  /** After a failure, each time longer by the factor. */
  retryFirstMs: 200,
  retryFactor: 2,
  retryLastMs: 30_000,
  /** How often what the kernel has is replaced though nothing has changed: somebody may have taken it away. */
  resyncMs: 300_000,
  /** Elements in one command. */
  elements: 1_000,
  /** Clients of all Services with session affinity that are remembered. */
  affinities: 262_144,
  objects: 20_000,
  /** Endpoints that have gone, whose flows are removed in one pass. */
  staleEndpoints: 1_000,
} as const;
