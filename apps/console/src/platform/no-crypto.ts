/** Stands in for `node:crypto` in the browser, see vite.config.ts. */
const absent = (): never => {
  throw new Error('ids are made by the control plane, not by the console');
};

export const createHash = absent;
export const randomBytes = absent;
