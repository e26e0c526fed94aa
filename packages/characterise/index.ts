export * from './config/characterisation.ts';
export * from './config/read.ts';
export * from './errors.ts';
