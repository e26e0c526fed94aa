import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { LABELS } from './marks.ts';
import type { ConfigMap } from './objects.ts';
import type { World } from './world.ts';

/** The files of a package that a unit finds at /app. */
export interface UnitFiles {
  readonly object: ConfigMap;
  readonly items: readonly { readonly key: string; readonly path: string; readonly mode: number }[];
}

/** Undefined when the unit has none. Keys of a ConfigMap are no paths: they are numbered. */
export function filesOf(world: World, spec: UnitSpec, doing: string): UnitFiles | undefined {
  const { files } = spec.execution;
  if (files === undefined) return undefined;
  const folder = spec.baseFolder === undefined ? files : join(spec.baseFolder, files);
  const items: { key: string; path: string; mode: number }[] = [];
  const binaryData: Record<string, string> = {};
  let bytes = 0;
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const one = join(path, entry.name);
      if (entry.isDirectory()) visit(one);
      if (!entry.isFile()) continue;
      const { size, mode } = statSync(one);
      bytes += size;
      if (items.length >= LIMITS.files || bytes > LIMITS.filesBytes) throw tooMuch(folder, doing);
      const key = `file-${items.length}`;
      binaryData[key] = readFileSync(one).toString('base64');
      items.push({ key, path: relative(folder, one), mode: (mode & 0o100) === 0 ? 0o444 : 0o555 });
    }
  };
  visit(folder);
  const object: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: world.marks.unitName(spec.id),
      namespace: world.cluster.namespace,
      labels: world.marks.labels({ [LABELS.service]: spec.service, [LABELS.unit]: spec.id }),
    },
    binaryData,
  };
  return { object, items };
}

function tooMuch(folder: string, doing: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-ENVIRONMENT', {
    doing,
    reason: `the files of ${folder} are more than ${LIMITS.files}, or have more than ${LIMITS.filesBytes} bytes`,
    hint: 'Put the files into the image, or let the unit fetch them: they are given to pods by a ConfigMap.',
  });
}
