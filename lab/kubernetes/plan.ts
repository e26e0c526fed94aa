import type { Plan } from '../item.ts';
import { controlPlane } from './control-plane.ts';
import type { Lab } from './lab.ts';
import { nodes } from './node.ts';

export function planFor(lab: Lab): Plan<Lab> {
  const parts = [
    { service: 'control-plane', part: controlPlane(lab) },
    { service: 'nodes', part: nodes(lab) },
  ];
  return {
    files: Object.assign({}, ...parts.map(({ part }) => part.files)) as Record<string, string>,
    items: parts.flatMap(({ service, part }) => part.items.map((item) => ({ ...item, service }))),
  };
}
