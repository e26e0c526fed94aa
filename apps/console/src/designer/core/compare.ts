import { canonicalJson } from '@superfluidity/core';
import { type Block, type Service, walk } from '@superfluidity/model';

export type Difference = 'added' | 'removed' | 'changed';

/** Differences of two services: blocks by `block:PATH`, networks and chains by name. What is equal is not in it. */
export function differencesOf(before: Service, after: Service): ReadonlyMap<string, Difference> {
  const differences = new Map<string, Difference>();
  const [old, now] = [partsOf(before), partsOf(after)];
  for (const [key, value] of now) {
    const was = old.get(key);
    if (was === undefined) differences.set(key, 'added');
    else if (was !== value) differences.set(key, 'changed');
  }
  for (const key of old.keys()) if (!now.has(key)) differences.set(key, 'removed');
  // A block in which something differs is looked into.
  for (const key of Array.from(differences.keys())) {
    if (!key.startsWith('block:')) continue;
    const names = key.slice('block:'.length).split('/');
    for (let depth = names.length - 1; depth > 0; depth -= 1) {
      const above = `block:${names.slice(0, depth).join('/')}`;
      if (!differences.has(above) && old.has(above) && now.has(above)) differences.set(above, 'changed');
    }
  }
  return differences;
}

function partsOf(service: Service): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const { path, block } of walk(service.block)) {
    const { children: _children, ...own } = block satisfies Block;
    if (path !== '') parts.set(`block:${path}`, canonicalJson(own));
  }
  for (const network of service.networks) parts.set(`net:${network.name}`, canonicalJson(network));
  for (const chain of service.chains) parts.set(`chain:${chain.name}`, canonicalJson(chain));
  return parts;
}
