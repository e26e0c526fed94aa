import type { Problem } from '@superfluidity/core';
import { formatPath, type JsonSchema, parsePath, readShape, readYamlText } from '@superfluidity/dialects';
import type { z } from 'zod';
import { placeLimits } from '../errors.ts';
import type { ChainsProblem } from './chain.ts';
import { compileChains } from './compile.ts';
import { switchModels } from './models.ts';
import type { ChainsRequest, ChainHost } from './request.ts';
import { chainsJsonSchema, chainsShape } from './schema.ts';

export type ReadChains =
  | { readonly problem: ChainsProblem; readonly problems: readonly [] }
  | { readonly problems: readonly Problem[] };

/** Reads a file of chains to place, YAML or JSON. Never throws: what is wrong has line and column. */
export function readChains(bytes: Uint8Array, file?: string): ReadChains {
  const text = readYamlText(bytes, file);
  const shape = readShape(text, chainsShape, chainsJsonSchema as JsonSchema);
  if (!('value' in shape)) return { problems: shape.problems };
  const { value } = shape;
  const hosts = value.sites.reduce((sum, site) => site.hosts.reduce((all, { count = 1 }) => all + count, sum), 0);
  if (hosts > placeLimits.hosts) {
    const message = `${hosts} hosts, at most ${placeLimits.hosts}`;
    return {
      problems: [
        { severity: 'error', code: 'SF-PLACE-INPUT', message, path: 'sites', position: text.locate(['sites']) },
      ],
    };
  }
  const compiled = compileChains(requestOf(value));
  if ('problem' in compiled) return compiled;
  const problems = compiled.problems.map(({ path, message, suggestion }): Problem => {
    const written = writtenPath(parsePath(path), value);
    return {
      severity: 'error',
      code: 'SF-PLACE-INPUT',
      message,
      path: formatPath(written),
      position: text.locate(written),
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  });
  return { problems };
}

type Written = z.infer<typeof chainsShape>;

/** Models of the product can be named without being written down, and replaced. */
function requestOf(value: Written): ChainsRequest {
  const own = value.switches ?? [];
  const ownNames = new Set(own.map(({ name }) => name));
  const built = Object.values(switchModels).filter(({ name }) => !ownNames.has(name));
  const { links = [], chains, costModel } = value;
  return {
    sites: value.sites.map((site) => ({ ...site, hosts: site.hosts.flatMap(written) })),
    links,
    chains,
    switches: [...own, ...built],
    switch: value.switch,
    ...(costModel === undefined ? {} : { costModel }),
  };
}

function written({ count, ...host }: Written['sites'][number]['hosts'][number]): readonly ChainHost[] {
  if (count === undefined) return [host];
  return Array.from({ length: count }, (_, i) => ({ ...host, name: `${host.name}-${i + 1}` }));
}

/** Hosts that are written once with a count are many in the request. */
function writtenPath(path: readonly (string | number)[], { sites }: Written): readonly (string | number)[] {
  const [first, site, third, host, ...rest] = path;
  if (first !== 'sites' || third !== 'hosts' || typeof site !== 'number' || typeof host !== 'number') return path;
  let before = 0;
  const index = sites[site]!.hosts.findIndex(({ count = 1 }) => (before += count) > host);
  return [first, site, third, index, ...rest];
}
