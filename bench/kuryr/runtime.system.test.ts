import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Runtime } from './runtime.ts';

const absent = missingForKernelTests(['cc']);
/** Says what it was told; the later ones end first. */
const PLUGIN = `#!/bin/sh
sleep "$CNI_WAIT"
printf '{"cniVersion":"%s","said":%s}' "$CNI_NAME" "$(cat)"
exit "$CNI_STATUS"
`;

describe.skipIf(absent !== undefined)(titled('the runtime of containers that is played', absent), () => {
  let folder: string;
  let runtime: Runtime;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-runtime-'));
    writeFileSync(join(folder, 'plugin'), PLUGIN, { mode: 0o700 });
    runtime = Runtime.start(folder, join(folder, 'plugin'));
  });
  afterAll(async () => {
    await runtime?.close();
    rmSync(folder, { recursive: true });
  });

  test('gives each plugin its environment and input, and each asker the answer to what it asked', async () => {
    const large = 'x'.repeat(20_000);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        runtime.call(
          {
            PATH: process.env['PATH'] ?? '',
            CNI_NAME: `${at}`,
            CNI_WAIT: `0.${40 - at}`,
            CNI_STATUS: at % 2 === 0 ? '0' : '1',
          },
          JSON.stringify({ at, large }),
        ),
      ),
    );
    for (const [at, answer] of answers.entries())
      expect(answer).toEqual({ code: at % 2, output: { cniVersion: `${at}`, said: { at, large } } });
  });
});
