import {
  type C45Tree,
  classify,
  classifyByRules,
  type Column,
  describeConditions,
  extractRules,
  makeTable,
  nominal,
  numeric,
  type RuleSet,
  type Table,
  trainC45,
} from '@superfluidity/learn';
import { type Configuration, NO_CLASS, type Parameter, type SlaClass } from '../config/characterisation.ts';
import { labelOf } from './label.ts';
import type { ExperimentResult } from './results.ts';

/** What was learned of the configurations: a tree, and the rules that it comes to. */
export interface Learned {
  readonly tree: C45Tree;
  readonly rules: readonly LearnedRule[];
  /** The label that the tree gives to each configuration, measured or not. */
  readonly labels: readonly string[];
}

export interface LearnedRule {
  /** `vnic_type = normal and vm_vcpus > 2` */
  readonly text: string;
  readonly label: string;
  /** Samples that it speaks of, and those of them that have another label. */
  readonly samples: number;
  readonly errors: number;
  /** Parameters on which it has conditions. */
  readonly parameters: readonly string[];
  /** Configurations that it speaks of. */
  readonly configurations: readonly number[];
}

/** Parameters as columns: numbers where all values are numbers, names elsewhere. Constants tell nothing and are left out. */
function tableOf(configurations: readonly Configuration[], parameters: readonly Parameter[]): Table {
  const columns = parameters.flatMap(({ name, values }): readonly Column[] => {
    if (values.length < 2) return [];
    const column = configurations.map((one) => one[name]!);
    if (values.every((value) => typeof value === 'number')) return [numeric(name, column.map(Number))];
    return [nominal(name, column.map(String), values.map(String))];
  });
  return makeTable(columns);
}

/** Learns from samples which configurations are in which class. Rejects as `trainC45` and `extractRules` do. */
export function learn(
  results: readonly ExperimentResult[],
  configurations: readonly Configuration[],
  parameters: readonly Parameter[],
  classes: readonly SlaClass[],
): Learned {
  const rows = results.flatMap(({ configuration, samples }) => samples.map(() => configurations[configuration]!));
  const labels = results.flatMap(({ samples }) => samples.map(({ metrics }) => labelOf(metrics, classes)));
  const target = nominal('class', labels, [...classes.map(({ name }) => name), NO_CLASS]);
  const table = tableOf(rows, parameters);
  const all = tableOf(configurations, parameters);
  const tree = trainC45(table, target);
  const set = extractRules(tree, table, target);
  return {
    tree,
    rules: set.rules.map((rule) => ({
      text: describeConditions(rule.conditions, set.columns),
      label: set.classes[rule.label]!,
      samples: rule.covered,
      errors: rule.errors,
      parameters: [...new Set(rule.conditions.map(({ column }) => set.columns[column]!.name))],
      configurations: coveredBy(rule, set, all),
    })),
    labels: Array.from(classify(tree, all), (code) => tree.classes[code]!),
  };
}

function coveredBy(rule: RuleSet['rules'][number], set: RuleSet, all: Table): readonly number[] {
  const alone = classifyByRules({ ...set, rules: [rule], otherwise: -1 }, all);
  return [...alone].flatMap((label, i) => (label < 0 ? [] : [i]));
}
