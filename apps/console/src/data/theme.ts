import { createStore } from './store.ts';

export type Theme = 'light' | 'dark';

const KEY = 'superfluidity.theme';
const asked = (): Theme | undefined => {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : undefined;
};
const system = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

export const theme = createStore<Theme>(asked() ?? system());

function apply(): void {
  document.documentElement.classList.toggle('pf-v6-theme-dark', theme.get() === 'dark');
}

/** Follows the system until the user chooses. */
export function startTheme(): void {
  apply();
  theme.subscribe(apply);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (asked() === undefined) theme.set(system());
  });
}

export function toggleTheme(): void {
  theme.set(theme.get() === 'dark' ? 'light' : 'dark');
  localStorage.setItem(KEY, theme.get());
}
