import type * as lab from '../item.ts';
import type { Service } from './item.ts';
import { has, type Lab } from './lab.ts';
import type { ServiceName } from './options.ts';
import { registerGuestImage } from './guest-image.ts';
import { registerApplicationCredential, registerEmptyImage } from './register.ts';
import { glance } from './services/glance.ts';
import { heat } from './services/heat.ts';
import { infrastructure } from './services/infrastructure.ts';
import { ironic } from './services/ironic.ts';
import { keystone } from './services/keystone.ts';
import { mistral } from './services/mistral.ts';
import { neutron } from './services/neutron.ts';
import { nova } from './services/nova.ts';
import { octavia } from './services/octavia.ts';
import { ovn } from './services/ovn.ts';
import { ovsAgent } from './services/ovs-agent.ts';
import { ovs } from './services/ovs.ts';
import { placement } from './services/placement.ts';
import { routing } from './services/routing.ts';

export type Plan = lab.Plan<Lab>;
export type PlannedItem = lab.PlannedItem<Lab>;

const SERVICES: Readonly<Record<ServiceName, (lab: Lab) => Service>> = {
  keystone,
  neutron,
  ovs,
  placement,
  glance,
  nova,
  heat,
  octavia,
  mistral,
  routing,
  ironic,
};

function hasMachines(lab: Lab): boolean {
  return has(lab, 'nova') && lab.options.compute === 'libvirt';
}

/** What programs the data plane. */
const NETWORKS = { ovs: ovsAgent, ovn } as const;

export function planFor(lab: Lab): Plan {
  const parts = [
    { service: 'infrastructure' as const, part: infrastructure(lab) },
    ...lab.options.services.map((service) => ({ service, part: SERVICES[service](lab) })),
    ...(has(lab, 'ovs') ? [{ service: 'ovs' as const, part: NETWORKS[lab.options.network](lab) }] : []),
  ];
  const tenants: readonly PlannedItem[] = [
    {
      kind: 'task',
      name: 'application-credential',
      service: 'keystone',
      after: ['catalogue'],
      once: true,
      run: registerApplicationCredential,
    },
    ...(has(lab, 'glance')
      ? [
          {
            kind: 'task' as const,
            name: hasMachines(lab) ? 'guest-image' : 'image',
            service: 'glance' as const,
            after: ['glance'],
            once: true,
            run: hasMachines(lab) ? registerGuestImage : registerEmptyImage,
          },
        ]
      : []),
  ];
  return {
    files: Object.assign({}, ...parts.map(({ part }) => part.files)) as Record<string, string>,
    items: [...parts.flatMap(({ service, part }) => part.items.map((item) => ({ ...item, service }))), ...tenants],
  };
}
