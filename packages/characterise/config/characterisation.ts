import type { Comparison } from './comparator.ts';

/** As a descriptor takes it: `2048`, `direct`, `true`. */
export type ParameterValue = string | number | boolean;

/** A value for each parameter, constants included, in the order in which the file has them. */
export type Configuration = Readonly<Record<string, ParameterValue>>;

export interface Parameter {
  readonly name: string;
  /** One: a constant. */
  readonly values: readonly ParameterValue[];
  /** In the order of the values; 0 where the file says nothing. */
  readonly costs: readonly number[];
}

/** A class of service level: a sample is in the first class all of whose bounds it keeps. */
export interface SlaClass {
  /** `class_A` of the file is `Class_A` in results. */
  readonly name: string;
  readonly bounds: readonly { readonly metric: string; readonly comparisons: readonly Comparison[] }[];
}

/** The label of what is in no class: best effort. */
export const NO_CLASS = 'None';

/** What a deployment parameter changes in the units of a service. */
export interface Binding {
  readonly to: 'cpu' | 'memoryMiB' | 'instances' | 'env' | 'accelerators' | 'site' | 'neighbours';
  /** Functions or units, by name or path. Absent: all. */
  readonly units?: readonly string[];
  /** Of the environment variable. */
  readonly name?: string;
  /** Accelerators that a value asks for; a value that is not named asks for none. */
  readonly values?: Readonly<Record<string, string>>;
}

export interface Neighbour {
  /** Its descriptor. */
  readonly serviceId: string;
  /** It runs on the host of this unit of the service. Absent: wherever there is room. */
  readonly beside?: string;
  /** It is there in configurations that have these values. Absent: in all. */
  readonly when?: Configuration;
}

export interface UseCase {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The traffic is made by a unit of the service. Absent: by the program that runs the experiments. */
  readonly from?: Place;
}

/** Where the unit that makes the traffic has its place in the service. */
export interface Place {
  readonly network: string;
  readonly site?: string;
  readonly cpu: number;
  readonly memoryMiB: number;
}

/** One characterisation: which service, which configurations, which traffic, and what counts as good (seed D6.1, A3.9.6). */
export interface Characterisation {
  /** The descriptor: a path, or a name of the catalogue. */
  readonly serviceId: string;
  readonly instanceName: string;
  readonly parameters: readonly Parameter[];
  readonly bindings: Readonly<Record<string, Binding>>;
  /** Services that run beside it and disturb it. */
  readonly neighbours: readonly Neighbour[];
  readonly useCase: UseCase;
  readonly iterations: number;
  readonly classes: readonly SlaClass[];
  readonly analysis: AnalysisOptions;
}

export interface AnalysisOptions {
  /**
   * What is classified: every sample (seed A3.9.4.2), or the worst of each experiment (A3.9.4.1: the least of what has to be
   * high, the most of what has to be low).
   */
  readonly per: 'sample' | 'experiment';
  /** A modified z-score above which a sample is an outlier among those of its configuration; 0 keeps all. */
  readonly outliers: number;
  /** Share of the samples of a configuration that must keep the bounds of a class for it to be chosen. */
  readonly probability: number;
}

/** All permutations, the last parameter changing fastest. Their number is bounded by the reader. */
export function configurationsOf(parameters: readonly Parameter[]): readonly Configuration[] {
  let all: readonly Configuration[] = [{}];
  for (const { name, values } of parameters) {
    all = all.flatMap((before) => values.map((value) => ({ ...before, [name]: value })));
  }
  return all;
}

/** Sum over the parameters. */
export function costOf(configuration: Configuration, parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { name, values, costs }) => sum + costs[values.indexOf(configuration[name]!)]!, 0);
}

/** `vm_ram=2048 vnic_type=direct`, without constants. */
export function configurationText(configuration: Configuration, parameters: readonly Parameter[]): string {
  const varied = parameters.filter(({ values }) => values.length > 1);
  return varied.map(({ name }) => `${name}=${String(configuration[name])}`).join(' ');
}

export interface Experiment {
  /** From 0, in the order of the full plan: configurations within iterations. */
  readonly index: number;
  /** Which of `configurationsOf`. */
  readonly configuration: number;
  readonly iteration: number;
  /** Part of the time of the stress that it gets, where that is not all of it. */
  readonly share?: number;
}

/** Every configuration once, then again: what drifts in the meantime does not fall on one configuration. */
export function fullPlan(configurations: number, iterations: number): readonly Experiment[] {
  return Array.from({ length: configurations * iterations }, (_, index) => ({
    index,
    configuration: index % configurations,
    iteration: Math.floor(index / configurations),
  }));
}
