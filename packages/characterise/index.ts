export * from './analysis/analyse.ts';
export * from './analysis/descriptor.ts';
export * from './analysis/results.ts';
export * from './config/characterisation.ts';
export * from './config/read.ts';
export * from './errors.ts';
export * from './traffic/use-case.ts';
export * from './traffic/use-cases.ts';
