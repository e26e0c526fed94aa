/** Execution environments (RFB execution environment, REE, of the literature): what a unit needs to run in. */
export const environments = ['container', 'pod', 'vm', 'unikernel', 'click', 'nft', 'process'] as const;
export type Environment = (typeof environments)[number];
