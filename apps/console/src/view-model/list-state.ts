/** What a list shows, as it stands in the address: plain texts, of which the server checks what they mean. */
export type ListState = Readonly<Record<string, string>>;

const VALUE_MAX = 1_000;

/** Keeps of an address what a page knows; what is empty or too long is left out. */
export function keepKnown<const K extends string>(
  search: Readonly<Record<string, unknown>>,
  names: readonly K[],
): { readonly [P in K]?: string } {
  const kept: Partial<Record<K, string>> = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === 'string' && value !== '' && value.length <= VALUE_MAX) kept[name] = value;
  }
  return kept;
}

export const parseSearch = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text));

/** The reverse: `state=FAILED`, without the quotes that the router puts around what could be a number. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

export const valuesOf = (text: string | undefined): readonly string[] =>
  text === undefined || text === '' ? [] : text.split(',');

export function toggled(text: string | undefined, value: string): string | undefined {
  const values = valuesOf(text);
  const next = values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
  return next.length === 0 ? undefined : next.join(',');
}

export interface Sort {
  readonly field: string;
  readonly descending: boolean;
}

export const sortOf = (text: string): Sort =>
  text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false };

/** The first press sorts upwards, the next one turns it round. */
export function nextSort(now: string, field: string): string {
  return now === field ? `-${field}` : field;
}
