/** Bounds of the agent. */
export const LIMITS = {
  messageBytes: 64 * 2 ** 20,
  /** Connections of providers at a time. */
  connections: 64,
  /** Octavia gives a VIP back to Neutron before it answers. */
  exchangeMs: 120_000,
  commandMs: 15_000,
  /** Until the agent of Neutron has wired the port of a VIP: traffic is late, and not lost, when it takes longer. */
  plugMs: 60_000,
  /** Between two looks at what the proxies count. */
  lookMs: 1_000,
  balancers: 10_000,
} as const;
