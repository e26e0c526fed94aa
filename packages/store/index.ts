export type { NotificationHandler } from './backend.ts';
export * from './database.ts';
export { databaseCode, storeErrors, toStoreError } from './errors.ts';
export * from './rows.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
export { parseStoreUrl, type StoreLocation, withoutPassword } from './url.ts';
