import type { ReactNode } from 'react';

export interface Column<T> {
  readonly title: string;
  /** Field by which the server sorts. */
  readonly sort?: string;
  readonly cell: (item: T) => ReactNode;
  /** Leaves narrow windows first: `wide` below 1000 px, `medium` below 720 px. */
  readonly from?: 'medium' | 'wide';
  readonly width?: 10 | 15 | 20 | 25 | 30 | 35 | 40;
}

export interface Filter {
  readonly name: string;
  readonly title: string;
  readonly options: readonly (readonly [value: string, words: string])[];
}

/** A filter whose options are called as their values are. */
export const anyOf = (name: string, title: string, values: readonly string[]): Filter => ({
  name,
  title,
  options: values.map((one) => [one, one] as const),
});

export const yesOrNo = (name: string, title: string, yes: string, no: string): Filter => ({
  name,
  title,
  options: [
    ['true', yes],
    ['false', no],
  ],
});
