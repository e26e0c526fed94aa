export * from './cash-flow.ts';
export * from './economics.ts';
export * from './scenario.ts';
export * from './scenarios.ts';
export * from './sensitivity.ts';
