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
