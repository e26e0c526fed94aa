import type { RawConfiguration } from './arguments.ts';
import type { ClickPlace } from './tokens.ts';

/** What stands between the braces of a compound element, or in a file. */
export interface Scope {
  readonly elements: Map<string, Declared>;
  readonly connections: Edge[];
  /** Of `define($x 1)`. */
  readonly definitions: RawConfiguration[];
}

export interface Declared {
  readonly name: string;
  /** It has no name in the text: that which Click gives it is its class and a number. */
  readonly anonymous: boolean;
  readonly className: string;
  /** Absent for the classes that Click itself has. */
  readonly compound?: CompoundClass;
  readonly configuration: RawConfiguration;
  readonly place: ClickPlace;
  /** Where its class stands: the word, or the brace that opens. Absent where several elements are declared together. */
  readonly classAt?: number;
}

export interface CompoundClass {
  /** Empty where it stands between braces in the place of an element. */
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
  readonly place: ClickPlace;
}

/** The pseudo elements that are the ports of a compound element. */
export const INPUT = 'input';
export const OUTPUT = 'output';

/** A file as it is written. */
export interface ClickFile {
  readonly scope: Scope;
  readonly statements: readonly Statement[];
  /** Beginning and end of each comment that is not in a configuration. */
  readonly comments: readonly (readonly [number, number])[];
  /** Libraries that were required and are not there, and all else that is required of Click. */
  readonly requirements: readonly Requirement[];
}

export interface Statement {
  readonly kind: 'class' | 'require' | 'define' | 'chain';
  /** Beginning and end in the text. */
  readonly from: number;
  readonly to: number;
  /** The elements that it declares, in order. */
  readonly elements: readonly string[];
}

export interface Requirement {
  readonly text: string;
  readonly place: ClickPlace;
  /** Of `require(library FILE)`. */
  readonly library?: string;
}
