/** What a caller chooses by name. On its own, so that a program that lists the names need not load what they stand for. */
export const chainPolicies = [
  'ocm',
  'ocm-relaxed',
  'gather',
  'distribute',
  'nova-spread',
  'nova-stack',
  'first-fit',
  'random',
] as const;
export type ChainPolicy = (typeof chainPolicies)[number];

/** How what shares a switch saves: see `hostSwitchingCost`. */
export const costModels = ['consistent', 'literal'] as const;
export type CostModel = (typeof costModels)[number];

/**
 * `interrupt`: processor time is spent on packets, beside a base that is paid once. `poll`: the base is burnt by polling
 * whatever there is to do, and work beyond it needs more.
 */
export const switchForms = ['interrupt', 'poll'] as const;
export type SwitchForm = (typeof switchForms)[number];
