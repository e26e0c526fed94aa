import type { Condition } from '../../ir/expression.ts';
import { forward, type Instruction } from '../../ir/instruction.ts';
import type { Box, Mtu, PortId } from '../../network.ts';
import type { NeutronDeployment } from '../../readers/neutron/deployment.ts';
import { agentProgram, isOfAgent } from './agents.ts';
import { domainPrograms, forSomebody, ingressRoutine, neighbours, serverProgram } from './domain.ts';
import { isOfRouter, isOfServer, type Plan, planOf } from './plan.ts';
import { routerPrograms } from './router.ts';
import { trunked } from './trunk.ts';

export interface NeutronModel {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly programs: ReadonlyMap<PortId, Instruction>;
  readonly routines: ReadonlyMap<string, Instruction>;
  /** Where servers and the hosts outside send. */
  readonly entries: readonly PortId[];
  /** Ports of servers, by their identifiers. */
  readonly ends: ReadonlyMap<string, NeutronEnd>;
  /** Of networks, at the ports where packets get into them and out of them. */
  readonly mtus: ReadonlyMap<PortId, Mtu>;
}

/** Where somebody at a port of Neutron sends and receives, be it as it was asked for or as a node has it. */
export interface NeutronEnd {
  readonly sends: PortId;
  readonly receives: PortId;
  /** Of which frames something was asked for; absent on a node. */
  readonly meant?: Condition;
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
  const ends = new Map<string, NeutronEnd>();
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
  agents(plan, { boxes, programs });
  servers(plan, { boxes, programs, routines, entries, ends });
  return { boxes, programs, routines, entries, ends, mtus: mtusOf(plan) };
}

/** Interfaces of routers have the MTU of their network, and servers are told it. */
function mtusOf(plan: Plan): ReadonlyMap<PortId, Mtu> {
  const mtus = new Map<PortId, Mtu>();
  for (const { id, mtu: bytes, external, source } of plan.deployment.networks) {
    if (bytes === undefined) continue;
    if (external) mtus.set(`${plan.name(id)}:outside:out`, { bytes, source });
    for (const port of plan.portsOfNetwork.get(id) ?? []) {
      const name = plan.name(port.id);
      const at = isOfRouter(port) ? `${plan.name(port.device)}:${name}:send` : `${name}:out`;
      mtus.set(at, { bytes, source });
    }
  }
  return mtus;
}

interface Made {
  readonly boxes: Map<string, Box>;
  readonly programs: Map<PortId, Instruction>;
  readonly routines: Map<string, Instruction>;
  readonly entries: PortId[];
  readonly ends: Map<string, NeutronEnd>;
}

/** Agents that answer: what they begin themselves is for those who ask for it, and no entry of the network. */
function agents(plan: Plan, { boxes, programs }: Pick<Made, 'boxes' | 'programs'>): void {
  for (const port of plan.deployment.ports.filter(isOfAgent)) {
    const name = plan.name(port.id);
    boxes.set(name, { name, kind: 'host', source: port.source });
    programs.set(`${name}:in`, agentProgram(port, plan));
  }
}

function servers(plan: Plan, { boxes, programs, routines, entries, ends }: Made): void {
  for (const port of plan.deployment.ports.filter(isOfServer)) {
    const name = plan.name(port.id);
    boxes.set(name, { name, kind: 'host', source: port.source });
    programs.set(name, forward(`${name}:in`));
    programs.set(`${name}:in`, trunked(port, plan, serverProgram(port, plan)));
    routines.set(`${name}/ingress`, ingressRoutine(port, plan));
    entries.push(`${name}:in`);
    ends.set(port.id, { sends: `${name}:in`, receives: `${name}:out`, meant: forSomebody(port, plan) });
  }
}
