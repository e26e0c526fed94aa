import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shortName, SuperfluidityError } from '@superfluidity/core';
import { FenceGuard } from '@superfluidity/site';
import { z } from 'zod';

const content = z.object({ fence: z.int().min(0) });

/** The highest fence that the site has seen, kept in the state folder: clouds have no place for it. */
export function fenceOf(siteId: string, siteName: string, stateFolder: string): FenceGuard {
  const path = join(stateFolder, `${shortName('openstack-', siteId, 20)}.json`);
  return new FenceGuard(siteName, read(path), (fence) => {
    try {
      mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
      const draft = `${path}.new`;
      writeFileSync(draft, JSON.stringify({ fence }), { mode: 0o600, flush: true });
      renameSync(draft, path);
    } catch (cause) {
      const answer = cause instanceof Error ? cause.message : String(cause);
      throw new SuperfluidityError('SF-CLOUD-STATE', {
        doing: `write down the fence of ${siteName}`,
        reason: answer,
        request: `write ${path}`,
        answer,
        cause,
      });
    }
  });
}

function read(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return 0;
  }
  // Replaced at once, the file is whole: a damaged one is not guessed at, for it would let an old caller in again.
  return content.parse(JSON.parse(text)).fence;
}
