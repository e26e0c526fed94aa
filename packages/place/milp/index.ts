export { LpText } from './lp-text.ts';
export { type MilpAnswer, type MilpQuestion, type MilpSolution, solveMilp } from './solve.ts';
