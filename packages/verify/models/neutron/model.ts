import { forward, type Instruction } from '../../ir/instruction.ts';
import type { Box, PortId } from '../../network.ts';
import type { NeutronDeployment } from '../../readers/neutron/deployment.ts';
import { domainPrograms, ingressRoutine, neighbours, serverProgram } from './domain.ts';
import { isOfServer, type Plan, planOf } from './plan.ts';
import { routerPrograms } from './router.ts';
import { trunked } from './trunk.ts';

export interface NeutronModel {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly programs: ReadonlyMap<PortId, Instruction>;
  readonly routines: ReadonlyMap<string, Instruction>;
  /** Where servers and the hosts outside send. */
  readonly entries: readonly PortId[];
}

/**
 * The network that the tenants asked for. A server is a box named after its port: it sends at `vm1:in` and receives at
 * `vm1:out`. Networks and routers are boxes too; hosts of an external network are at `public:outside:in` and `:out`.
 */
export function neutronModel(deployment: NeutronDeployment): NeutronModel {
  const plan = planOf(deployment);
  const boxes = new Map<string, Box>();
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  const entries: PortId[] = [];
  for (const network of deployment.networks) {
    const name = plan.name(network.id);
    boxes.set(name, { name, kind: 'network', source: network.source });
    for (const [port, program] of domainPrograms(network, plan)) programs.set(port, program);
    for (const family of ['ip', 'ip6'] as const) {
      routines.set(`${name}/neighbours/${family}`, neighbours(network, plan, family));
    }
    if (network.external) entries.push(`${name}:outside:in`);
  }
  for (const router of deployment.routers) {
    const name = plan.name(router.id);
    boxes.set(name, { name, kind: 'router', source: router.source });
    for (const [port, program] of routerPrograms(router, plan)) programs.set(port, program);
  }
  servers(plan, { boxes, programs, routines, entries });
  return { boxes, programs, routines, entries };
}

interface Made {
  readonly boxes: Map<string, Box>;
  readonly programs: Map<PortId, Instruction>;
  readonly routines: Map<string, Instruction>;
  readonly entries: PortId[];
}

function servers(plan: Plan, { boxes, programs, routines, entries }: Made): void {
  for (const port of plan.deployment.ports.filter(isOfServer)) {
    const name = plan.name(port.id);
    boxes.set(name, { name, kind: 'host', source: port.source });
    programs.set(name, forward(`${name}:in`));
    programs.set(`${name}:in`, trunked(port, plan, serverProgram(port, plan)));
    routines.set(`${name}/ingress`, ingressRoutine(port, plan));
    entries.push(`${name}:in`);
  }
}
