export * from './driver.ts';
export * from './errors.ts';
