import { takeToken } from '../view-model/token.ts';

const KEY = 'superfluidity.token';

/** Of the address, else the one that the tab has. */
export const readToken = (hash = ''): string | undefined =>
  takeToken(hash).token ?? sessionStorage.getItem(KEY) ?? undefined;
export const keepToken = (token: string): void => sessionStorage.setItem(KEY, token);
export const forgetToken = (): void => sessionStorage.removeItem(KEY);
