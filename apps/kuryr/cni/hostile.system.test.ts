import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildExecutable } from './executable/build.ts';
import { frameAnswer, parseFrame } from './frame.ts';
import { LIMITS } from './limits.ts';
import { VERSIONS } from './specification.ts';
import { runPlugin, TestNode } from './testing/node.ts';

const absent = missingForKernelTests(['ip', 'cc']);

/** What comes back for these bytes; undefined where the connection ended without an answer. */
function exchange(path: string, bytes: Buffer): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    const isOver = (error: Error) => 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
    socket.on('error', (error) => (isOver(error) ? undefined : reject(error)));
    socket.on('close', () => resolve(pieces.length === 0 ? undefined : Buffer.concat(pieces).toString('utf8')));
    socket.end(bytes);
  });
}

const variables = fc.dictionary(
  fc.constantFrom('CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS', 'CNI_PATH', 'CNI_OTHER'),
  fc.oneof(
    fc.constantFrom(
      'ADD',
      'DEL',
      'CHECK',
      'STATUS',
      'GC',
      'VERSION',
      'eth0',
      '/run/netns/none',
      'c1',
      'K8S_POD_NAME=a',
    ),
    fc.string({ unit: 'binary', maxLength: 200 }).filter((text) => !text.includes('\0')),
  ),
);
const configuration = fc.oneof(
  fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc
    .record(
      {
        cniVersion: fc.constantFrom(...VERSIONS, '9.9.9', ''),
        name: fc.string(),
        prevResult: fc.jsonValue(),
        socket: fc.string(),
      },
      { requiredKeys: [] },
    )
    .map((value) => Buffer.from(JSON.stringify(value))),
);

describe.skipIf(absent !== undefined)(titled('hostile input', absent), () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.open({ bridge: true });
    const { ports } = await node.startDaemon();
    ports.setKnown(true);
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  test('to the socket is answered with an error or not at all, and the daemon goes on', async () => {
    const framed = fc.tuple(variables, configuration).map(([given, input]) => {
      // An ADD that is well formed would wait for its port.
      const named = Object.entries(given).filter(([, value]) => value !== 'ADD');
      return Buffer.concat([
        ...named.map(([name, value]) => Buffer.from(`${name}=${value}\0`)),
        Buffer.from('\0'),
        input,
      ]);
    });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }).map((piece) => Buffer.from(piece)),
      framed,
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (message) => {
        const answer = await exchange(node.socket, message);
        expect(answer).toMatch(/^(?:\{.*\}\n1|0)$/s);
        if (answer!.endsWith('1')) expect(JSON.parse(answer!.slice(0, -1))).toMatchObject({ code: expect.any(Number) });
      }),
      { numRuns: 300 },
    );
    expect(await node.call('STATUS', '')).toMatchObject({ code: 0 });
  });

  test('that is too large is refused, and who says nothing holds up nobody', async () => {
    const silent = Array.from({ length: 50 }, () => connect(node.socket).on('error', () => {}));
    const answer = await exchange(node.socket, Buffer.alloc(LIMITS.messageBytes * 3, 'CNI_X=y\0'));
    expect(answer === undefined || answer.includes('too large')).toBe(true);
    const large = Buffer.from(`{"cniVersion":"1.1.0","name":"kuryr","x":"${'x'.repeat(2 ** 20)}"}`);
    expect(await runPlugin(node.executable, { CNI_COMMAND: 'STATUS' }, large)).toMatchObject({
      code: 1,
      output: { code: 7 },
    });
    expect(await node.call('STATUS', '')).toMatchObject({ code: 0 });
    for (const socket of silent) socket.destroy();
  });

  test('a message is what the executable sent, or is none', () => {
    fc.assert(
      fc.property(variables, configuration, (given, input) => {
        const named = Object.entries(given);
        const text = input.toString('utf8');
        const bytes = Buffer.from(`${named.map(([name, value]) => `${name}=${value}\0`).join('')}\0${text}`);
        expect(parseFrame(bytes)).toEqual({ variables: new Map(named), input: text });
        expect(parseFrame(bytes.subarray(0, bytes.length - Buffer.byteLength(text) - 1))).toBeUndefined();
      }),
    );
    expect(frameAnswer('x'.repeat(LIMITS.messageBytes), 0).toString()).toMatch(/^\{.*\}\n1$/);
  });
});

const compiles = spawnSync('sh', ['-c', 'echo "int main(){return 0;}" | cc -fsanitize=address -x c - -o /dev/null']);
const cannot = absent ?? (compiles.status === 0 ? undefined : 'needs libasan');

describe.skipIf(cannot !== undefined)(titled('the executable, watched over by AddressSanitizer', cannot), () => {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-hostile-'));
  const executable = join(folder, 'plugin');
  const path = join(folder, 'right.sock');
  let server: Server;
  beforeAll(async () => {
    await buildExecutable(executable, { flags: ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'] });
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.resume().on('end', () => socket.end('{"right":true}0'));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
  });
  afterAll(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('ends with JSON and without a fault, whatever it is given', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(variables, configuration, async (env, input) => {
        const { code, output } = await runPlugin(executable, env, input);
        expect([0, 1]).toContain(code);
        if (code === 1) expect(output).toMatchObject({ cniVersion: expect.any(String), code: expect.any(Number) });
      }),
      { numRuns: 60 },
    );
  });

  test('finds the socket where a reader of JSON finds it', { timeout: 120_000 }, async () => {
    const decoy = fc.constantFrom(
      { socket: '/nowhere' },
      [{ socket: '/nowhere' }],
      '"socket":"/nowhere"',
      '\\"socket": "',
      'socket',
      '{"socket":"/nowhere"',
    );
    const other = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('x"socket', '\\', 'socket\\')),
      fc.oneof(fc.jsonValue(), decoy),
    );
    await fc.assert(
      fc.asyncProperty(other, other, fc.constantFrom(0, 1, '\t'), async (before, after, space) => {
        const { socket: _, ...first } = before;
        const { socket: __, ...last } = after;
        const input = JSON.stringify({ ...first, socket: path, ...last }, undefined, space);
        expect(await runPlugin(executable, { CNI_COMMAND: 'ADD' }, input)).toEqual({
          code: 0,
          output: { right: true },
        });
      }),
      { numRuns: 60 },
    );
  });

  test('says which versions it knows as the daemon knows them', async () => {
    const { output } = await runPlugin(executable, { CNI_COMMAND: 'VERSION' }, '{"cniVersion":"1.0.0"}');
    expect(output).toEqual({ cniVersion: VERSIONS.at(-1), supportedVersions: VERSIONS });
  });
});
