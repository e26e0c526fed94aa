import type { Block, Service } from '@superfluidity/model';

/** Changes such as people make in a graph, each of the service as a whole. Undefined where there is nothing to change. */
type Edit = (service: Service, at: number) => Service | undefined;

const withFunctions = (service: Service, children: readonly Block[]): Service => ({
  ...service,
  block: { ...service.block, children },
});

function onUnit(change: (unit: Block, service: Service) => Block): Edit {
  return (service, at) => {
    const { children } = service.block;
    const i = at % children.length;
    return withFunctions(
      service,
      children.map((fn, j) =>
        i === j ? { ...fn, children: fn.children.map((unit, k) => (k === 0 ? change(unit, service) : unit)) } : fn,
      ),
    );
  };
}

export const edits: Readonly<Record<string, Edit>> = {
  memory: onUnit((unit) => ({ ...unit, requirements: { ...unit.requirements, memoryMiB: 3072 } })),
  processors: onUnit((unit) => ({ ...unit, requirements: { ...unit.requirements, cpu: 3 } })),
  image: onUnit((unit) =>
    unit.execution === undefined ? unit : { ...unit, execution: { ...unit.execution, image: 'name:another' } },
  ),
  description: onUnit((unit) => ({ ...unit, description: 'changed by hand' })),
  port: onUnit((unit, { networks }) => ({
    ...unit,
    ports: [...unit.ports, { name: 'eth77', ...(networks[0] === undefined ? {} : { network: networks[0].name }) }],
  })),
  version: (service) => ({ ...service, version: '7.7' }),
  network: (service) => ({ ...service, networks: [...service.networks, { name: 'fresh', prefix: '10.77.0.0/16' }] }),
  prefix: (service, at) => ({
    ...service,
    networks: service.networks.map((network, i) =>
      i === at % service.networks.length ? { ...network, prefix: '10.78.0.0/16' } : network,
    ),
  }),
  function: (service) =>
    withFunctions(service, [
      ...service.block.children,
      {
        kind: 'function',
        name: 'added',
        ports: [],
        links: [],
        requirements: {},
        children: [
          {
            kind: 'unit',
            name: 'added',
            ports: service.networks.slice(0, 1).map(({ name }) => ({ name: 'eth0', network: name })),
            links: [],
            children: [],
            requirements: { cpu: 1, memoryMiB: 512 },
            execution: { environment: 'vm', image: 'name:debian-12' },
          },
        ],
      },
    ]),
  removal: (service, at) => {
    const { children } = service.block;
    const gone = children[at % children.length]!;
    const names = (text: string) => text.split('/')[0]!.split('.')[0] === gone.name;
    if (children.length < 2) return undefined;
    return {
      ...withFunctions(
        service,
        children.filter((fn) => fn !== gone),
      ),
      chains: service.chains.filter(({ from, through, to }) => ![from, ...through, to].some(names)),
      balancers: service.balancers.filter(({ unit }) => !names(unit)),
    };
  },
};
