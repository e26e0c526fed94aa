import { enableCompileCache } from 'node:module';

// Before anything else is imported: it halves the start, since types need not be stripped again.
enableCompileCache();
await import('./run.ts');
