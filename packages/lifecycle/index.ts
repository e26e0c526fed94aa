export { descriptorFormats } from './catalogue.ts';
export * from './errors.ts';
export * from './lifecycle.ts';
export * from './limits.ts';
export type { LifecycleOptions } from './options.ts';
export type { PlaybookOutcome, PlaybookRequest, PlaybookRunner } from './playbooks.ts';
export * from './routes.ts';
export type { OpenTerminal, Terminals } from './terminals.ts';
export { planTransition, type Situation, type Transition, type TransitionPlan } from './transition.ts';
