export type { NotificationHandler } from './backend.ts';
export * from './database.ts';
/** The one that the rooms write SQL with where the query builder has no word for it. */
export { type RawBuilder, sql } from 'kysely';
export { databaseCode, storeErrors, toStoreError } from './errors.ts';
export { contains, type PageOrder, pageOfRows, type RowPage } from './page.ts';
export { prepared } from './prepared.ts';
export * from './rows.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
export { parseStoreUrl, type StoreLocation, withoutPassword } from './url.ts';
