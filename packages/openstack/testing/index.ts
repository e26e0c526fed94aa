export * from './lab.ts';
export * from './own-project.ts';
