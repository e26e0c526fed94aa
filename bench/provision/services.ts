/** The units that are measured, each as the only one of a service in the native format. */
export type Kind = 'nft' | 'container' | 'vm';

export const kindNames: Readonly<Record<Kind, string>> = {
  nft: 'packet function',
  container: 'container',
  vm: 'micro-VM',
};

const executions: Readonly<Record<Kind, string>> = {
  nft: `environment: nft
      program: |
        table ip f {
          chain forward { type filter hook forward priority filter; policy accept; }
        }
      forwards: true`,
  container: `environment: container
      image: "host:"
      command: [sleep, "100000"]`,
  vm: `environment: vm
      image: "guest:"`,
};

const UNITS_MAX = 200;

export const serviceName = (kind: Kind): string => `bench-${kind}`;

/** A service whose unit can be scaled from 1 to 200, with so many ready in the pool. Ready: it has answered a ping. */
export function serviceOf(kind: Kind, pool: number): string {
  return `superfluidity: 1
service:
  name: ${serviceName(kind)}
  version: "1"
  networks:
    - {name: data, prefix: 10.72.0.0/16}
  functions:
    - name: unit
      ${executions[kind]}
      health: {kind: ping, timeoutMs: 120000}
      pool: ${pool}
      scale: {initial: 1, min: 1, max: ${UNITS_MAX}}
      ports: [data]
      requirements: {cpu: ${kind === 'vm' ? 1 : 0.1}, memoryMiB: ${kind === 'vm' ? 96 : 32}}
`;
}

/** Simulated units of one service: the control plane's own work and nothing else. */
export function simulatedService(name: string, units: number, prefix: string): string {
  return `superfluidity: 1
service:
  name: ${name}
  version: "1"
  networks:
    - {name: data, prefix: ${prefix}}
  functions:
    - name: unit
      environment: container
      image: "host:"
      command: [sleep, "1"]
      scale: ${units}
      ports: [data]
      requirements: {cpu: 0.1, memoryMiB: 32}
`;
}
