import { readFileSync } from 'node:fs';

const mobileEdge = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');

/** The descriptor of the demo under another name. */
export const mobileEdgeText = (name: string): string => mobileEdge.replace('name: mobile-edge', `name: ${name}`);

/** A descriptor of a few functions, for what the catalogue has besides. */
export const smallText = (name: string, version: string): string => `superfluidity: 1
service:
  name: ${name}
  version: "${version}"
  networks:
    - {name: inside, prefix: 10.81.0.0/16}
  functions:
    - name: gate
      environment: nft
      forwards: true
      program: table ip gate { }
      ports: [inside]
    - name: probe
      environment: container
      image: "host:"
      command: [sh, -c, exec sleep infinity]
      ports: [inside]
`;
