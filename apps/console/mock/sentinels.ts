/** What is named so goes wrong, because it was asked to. */
export const SENTINELS = {
  failingHost: 'c2',
  refusedCount: 404,
  /** Services of these names. */
  failingName: 'broken-500',
  forbiddenName: 'forbidden-403',
  /** A descriptor with this word in it. */
  unplaceable: 'tier: moon',
  /** And with this one: its policies are violated. */
  open: 'wide-open',
} as const;
