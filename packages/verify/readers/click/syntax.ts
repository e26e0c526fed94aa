import type { SourceRef } from '../../ir/source.ts';
import type { RawConfiguration } from './arguments.ts';

/** What stands between the braces of a compound element, or in a file. */
export interface Scope {
  readonly elements: Map<string, Declared>;
  readonly connections: Edge[];
  /** Of `define($x 1)`. */
  readonly definitions: RawConfiguration[];
}

export interface Declared {
  readonly name: string;
  readonly className: string;
  /** Absent for the classes that Click itself has. */
  readonly compound?: CompoundClass;
  readonly configuration: RawConfiguration;
  readonly source: SourceRef;
}

export interface CompoundClass {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

export interface Overload {
  readonly formals: readonly Formal[];
  readonly scope: Scope;
}

/** `$x`, or `KEYWORD $x`; `__REST__ $x` takes all that is left. */
export interface Formal {
  readonly name: string;
  readonly keyword?: string;
}

export interface Edge {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly source: SourceRef;
}

/** The pseudo elements that are the ports of a compound element. */
export const INPUT = 'input';
export const OUTPUT = 'output';
