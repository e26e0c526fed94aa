export * from './access.ts';
export * from './attempts.ts';
export * from './authorise.ts';
export * from './errors.ts';
export { createPasswords, defaultCost, type PasswordCost } from './password.ts';
export * from './routes.ts';
export * from './secret.ts';
export * from './state-folder.ts';
