export * from './cash-flow.ts';
export * from './economics.ts';
export * from './from-design.ts';
export * from './scenario.ts';
export * from './scenarios.ts';
export * from './sensitivity.ts';
