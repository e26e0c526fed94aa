import type { Position, Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import type { DescriptorFile } from './files.ts';
import type { Input, InputValues } from './inputs.ts';

/** Names of the dialects, as people type them. Another dialect is another name here and another entry in `dialects.ts`. */
export const formats = [
  'native',
  'sol006',
  'osm',
  'osm8',
  'tosca',
  'nemo',
  'rdcl',
  'appd',
  'cran',
  'click',
  'heat',
  'kubernetes',
  'ansible',
] as const;
export type Format = (typeof formats)[number];

export interface ReadResult {
  /** Present when no problem is an error. */
  readonly service?: Service;
  /** What can be drawn where only the check of the whole finds errors, as a chain to a unit without a network. */
  readonly draft?: Service;
  readonly problems: readonly Problem[];
  /** Where the files speak of a part of the service: `functions[1].units[0].ports[0]`. */
  readonly locate?: (modelPath: string) => Position | undefined;
}

export interface Written {
  readonly files: readonly DescriptorFile[];
  /** What the dialect cannot say of this service. Nothing else is missing in the files. */
  readonly losses: readonly Problem[];
}

/** A way of describing services that somebody else has defined, or we have. */
export interface Dialect {
  readonly format: Format;
  /** What people call it: `ETSI NFV-SOL 006`. */
  readonly title: string;
  /** Specification and version that reader and writer follow. */
  readonly standard: string;
  /** Its files are also parts of what others describe: one alone does not decide what a package is. */
  readonly isPart?: true;
  /** Looks without parsing where it can: it is asked about every file that somebody gives us. */
  readonly recognises?: (files: readonly DescriptorFile[]) => boolean;
  /** Never throws: whatever is wrong with the files is in `problems`. */
  readonly read?: (files: readonly DescriptorFile[], inputs?: InputValues) => ReadResult;
  /** Of a template: what is asked for when it is deployed. `read` is given the values, of which each is of its kind. */
  readonly inputs?: (files: readonly DescriptorFile[]) => readonly Input[];
  readonly writer?: Writer;
  /** JSON Schemas (draft 2020-12) by which editors help, by the name of what is described: `docs/schemas/NAME.schema.json`. */
  readonly schemas?: Readonly<Record<string, unknown>>;
}

export interface Writer {
  /**
   * The aspects of a service (see `express.ts`) that the dialect has words for. What is not listed never reaches `write`
   * and is reported as lost.
   */
  readonly expresses: readonly string[];
  /** `lose` reports what this service in particular loses: a unit that cannot run in a pod, for instance. */
  readonly write: (service: Service, lose: Lose) => readonly DescriptorFile[];
  /** Other forms of the same, by their names: what was written, written so. */
  readonly encodings?: Readonly<Partial<Record<Encoding, Encode>>>;
}

/** How a dialect that has several forms is written; YAML is the usual one. */
export const encodings = ['yaml', 'xml'] as const;
export type Encoding = (typeof encodings)[number];
export type Encode = (files: readonly DescriptorFile[], lose: Lose) => readonly DescriptorFile[];

/** The path is one of the model: `functions[1].units[0]`. */
export type Lose = (modelPath: string, message: string) => void;
