import type { Block, Requirements, Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { Names } from '../names.ts';

/**
 * Units that are written inside of a virtual machine beside it, bound to the node that it is: Kubernetes puts pods on nodes, and
 * has no objects inside of others. What names them names them where they are now.
 */
export function hoisted(service: Service, lose: Lose): Service {
  const moved = new Map<string, string>();
  const functions = service.block.children.map((fn, i): Block => {
    const names = new Names();
    for (const { name } of fn.children) names.label(name);
    const children = fn.children.flatMap((unit, j): readonly Block[] => {
      const inside = unit.children.filter(({ kind }) => kind === 'unit');
      if (unit.execution?.environment !== 'vm' || inside.length === 0) return [unit];
      const parent = `${fn.name}/${unit.name}`;
      const beside = inside.map((child, k): Block => {
        const name = names.fresh(`${unit.name}-${child.name}`);
        moved.set(`${parent}/${child.name}`, `${fn.name}/${name}`);
        lose(
          `functions[${i}].units[${j}].units[${k}]`,
          `that '${child.name}' is written inside '${parent}': it is bound to its node`,
        );
        const execution = {
          ...child.execution!,
          nested: { ...child.execution?.nested, parent, parentMandatory: true },
        };
        return { ...child, name, execution };
      });
      return [{ ...unit, children: unit.children.filter(({ kind }) => kind !== 'unit') }, ...beside];
    });
    return { ...fn, children };
  });
  if (moved.size === 0) return service;
  const now = (path: string) => moved.get(path) ?? path;
  const renamed = (block: Block): Block => ({
    ...block,
    requirements: requirementsOf(block.requirements, now),
    children: block.children.map(renamed),
  });
  return {
    ...service,
    block: { ...service.block, children: functions.map(renamed) },
    balancers: service.balancers.map((balancer) => ({ ...balancer, unit: now(balancer.unit) })),
  };
}

function requirementsOf(requirements: Requirements, now: (path: string) => string): Requirements {
  const { affinity } = requirements;
  return affinity === undefined
    ? requirements
    : { ...requirements, affinity: affinity.map((rule) => ({ ...rule, with: rule.with.map(now) })) };
}
