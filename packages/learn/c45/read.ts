import { learnLimits } from '../errors.ts';
import {
  arrayOf,
  fieldsOf,
  indexOf,
  modelOf,
  namesOf,
  notAModel,
  numberOf,
  numbersOf,
  shapesOf,
} from '../model-json.ts';
import type { C45Tree, TreeNode } from './tree.ts';

/** A tree from JSON that was parsed. Rejects with SF-LEARN-MODEL. */
export function readC45(value: unknown): C45Tree {
  const fields = modelOf(value, 'c45');
  const columns = shapesOf(fields['columns']);
  const classes = namesOf(fields['classes'], 'classes', learnLimits.classes);
  let nodes = 0;

  function readNode(given: unknown, depth: number): TreeNode {
    nodes += 1;
    if (nodes > learnLimits.nodes || depth > learnLimits.depth) throw notAModel('the tree is too large');
    const node = fieldsOf(given, 'a node');
    const counts = numbersOf(node['counts'], 'counts', classes.length);
    if (counts.length !== classes.length || counts.some((count) => count < 0))
      throw notAModel('counts are not of the classes');
    const label = indexOf(node['label'], 'label', classes.length);
    const { kind } = node;
    if (kind === 'leaf') return { kind, counts, label };
    if (kind !== 'numeric' && kind !== 'nominal') throw notAModel('a node is of no known kind');
    const column = indexOf(node['column'], 'column', columns.length);
    const shape = columns[column]!;
    const branches = shape.kind === 'nominal' ? shape.names.length : 2;
    const branchesGiven = arrayOf(node['children'], 'children', branches);
    if (shape.kind !== kind || branchesGiven.length !== branches)
      throw notAModel(`a split does not suit column ${shape.name}`);
    const children = branchesGiven.map((child) => readNode(child, depth + 1));
    if (kind === 'nominal') return { kind, counts, label, column, children };
    return { kind, counts, label, column, threshold: numberOf(node['threshold'], 'threshold'), children };
  }

  if (classes.length < 2) throw notAModel('there are less than two classes');
  return { format: 'c45', version: 1, columns, classes, root: readNode(fields['root'], 0) };
}
