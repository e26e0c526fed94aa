export * from './access.ts';
export * from './authorise.ts';
export * from './errors.ts';
export * from './routes.ts';
export * from './secret.ts';
export * from './state-folder.ts';
