import type { Problem } from '@superfluidity/core';
import type { Execution, Service } from './block.ts';
import { checkBlocks, joinAt } from './check-blocks.ts';
import { Findings } from './findings.ts';

export type PackagePart = 'file' | 'folder';

/**
 * Images and files that a service names by their path, and that are not there. `find` says what lies at a path of the
 * package. What sites and registries have (`name:`, `host:`, `guest:`) can be known by them only.
 */
export function checkImages(service: Service, find: (path: string) => PackagePart | undefined): readonly Problem[] {
  const findings = new Findings();
  for (const { block, at } of checkBlocks(service, new Findings()).values()) {
    if (block.execution === undefined) continue;
    for (const { field, path, wanted } of partsOf(block.execution)) {
      const there = find(path);
      if (there === wanted) continue;
      const what = there === undefined ? `there is no ${wanted} '${path.slice(0, 200)}'` : `'${path}' is a ${there}`;
      const message = there === undefined ? `${what} in the package` : `${what}, and should be a ${wanted}`;
      findings.error('SF-MODEL-IMAGE', joinAt(at, field), message);
    }
  }
  return findings.list;
}

interface Part {
  readonly field: 'image' | 'files';
  readonly path: string;
  readonly wanted: PackagePart;
}

function partsOf({ image = '', files }: Execution): readonly Part[] {
  const [, kind, path] = /^(folder|oci|disk):(.+)$/s.exec(image) ?? [];
  return [
    ...(path === undefined ? [] : [{ field: 'image', path, wanted: kind === 'disk' ? 'file' : 'folder' } as const]),
    ...(files === undefined ? [] : [{ field: 'files', path: files, wanted: 'folder' } as const]),
  ];
}
