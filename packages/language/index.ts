export * from './complete.ts';
export * from './diagnostics.ts';
export * from './document.ts';
export * from './hover.ts';
export * from './languages.ts';
export * from './references.ts';
export * from './rename.ts';
