import type { Block, Chain, Execution, Port, Requirements, Scale, Service } from '../block.ts';
import { deepFreeze } from '../graph.ts';

/** Small sound services, of which a test changes a part. */
export const run: Execution = {
  environment: 'container',
  image: 'host:',
  command: ['sleep', 'infinity'],
  forwards: true,
};

type UnitExtras = {
  ports?: Port[];
  requirements?: Requirements;
  execution?: Execution;
  scale?: Scale;
  children?: Block[];
};
export function unit(name: string, extras: UnitExtras = {}): Block {
  const ports = [{ name: 'eth0', network: 'lan' }];
  return { kind: 'unit', name, ports, children: [], links: [], requirements: {}, execution: run, ...extras };
}
export function fn(name: string, children: Block[], requirements: Requirements = {}): Block {
  return { kind: 'function', name, ports: [], children, links: [], requirements };
}
export function service(functions: Block[], extras: Partial<Service> = {}): Service {
  return deepFreeze({
    block: { kind: 'service', name: 'demo', ports: [], children: functions, links: [], requirements: {} },
    version: '1.0',
    networks: [{ name: 'lan', prefix: '10.1.0.0/16' }],
    chains: [],
    balancers: [],
    ...extras,
  });
}
export const chain = (extras: Partial<Chain> = {}): Chain => ({
  name: 'path',
  from: 'a/x',
  through: ['b/y'],
  to: 'c/z',
  address: '10.99.0.1',
  protocol: 'tcp',
  ports: [80],
  ...extras,
});
