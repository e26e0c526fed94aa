import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { frame, FrameReader } from './frames.ts';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));
const example = readFileSync(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');
const WAIT_MS = 20_000;

interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: { readonly uri: string; readonly version?: number; readonly diagnostics: readonly Diagnostic[] };
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}
interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly severity: number;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

/** What an editor is to the server: it writes to the real process, and waits for what comes back. */
class Editor {
  readonly process: ChildProcessWithoutNullStreams;
  readonly exit: Promise<number | null>;
  readonly received: Message[] = [];
  readonly #reader = new FrameReader();
  #waiting: (() => void)[] = [];
  #next = 1;

  constructor() {
    this.process = spawn(process.execPath, [program, 'lsp', '--stdio']);
    this.exit = once(this.process, 'exit').then(([code]) => code as number | null);
    this.process.stdout.on('data', (chunk: Buffer) => {
      for (const body of this.#reader.push(chunk)) this.received.push(JSON.parse(body.toString()) as Message);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
    // Whoever writes to a server that has gone is told so by its exit.
    this.process.stdin.on('error', () => {});
  }

  write(bytes: string | Buffer): void {
    this.process.stdin.write(bytes);
  }

  notify(method: string, params?: unknown): void {
    this.write(frame({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }));
  }

  async request(method: string, params?: unknown): Promise<Message> {
    const id = this.#next;
    this.#next += 1;
    this.write(frame({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) }));
    return this.until((message) => message.id === id);
  }

  async until(wanted: (message: Message) => boolean): Promise<Message> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const found = this.received.find(wanted);
      if (found !== undefined) return found;
      if (deadline.aborted)
        throw new Error(`not received; there came ${JSON.stringify(this.received).slice(0, 2_000)}`);
      await Promise.race([
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        once(deadline, 'abort').then(() => {}),
      ]);
    }
  }

  diagnosticsOf(uri: string, version: number): Promise<readonly Diagnostic[]> {
    return this.until(
      ({ method, params }) =>
        method === 'textDocument/publishDiagnostics' && params?.uri === uri && params.version === version,
    ).then(({ params }) => params!.diagnostics);
  }

  async started(): Promise<this> {
    const { result } = await this.request('initialize', { processId: null, rootUri: null, capabilities: {} });
    expect(result).toMatchObject({
      capabilities: { positionEncoding: 'utf-16', renameProvider: { prepareProvider: true } },
    });
    this.notify('initialized', {});
    return this;
  }

  open(uri: string, languageId: string, text: string): void {
    this.notify('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } });
  }
}

let folder: string;
const editors: Editor[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-lsp-'));
});
afterEach(() => {
  for (const { process } of editors.splice(0)) process.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function editor(): Editor {
  const made = new Editor();
  editors.push(made);
  return made;
}
const uriOf = (name: string) => pathToFileURL(join(folder, name)).href;
/** Where the text stands, in it. */
function place(text: string, what: string, more = 0) {
  const before = text.slice(0, text.indexOf(what) + more).split('\n');
  return { line: before.length - 1, character: before.at(-1)!.length };
}

test('an editor opens, is told what is wrong, asks, renames, and leaves', async () => {
  const client = await editor().started();
  const uri = uriOf('service.yaml');
  const text = example.replace('environment: nft', 'environment: ntf');
  client.open(uri, 'yaml', text);
  const [wrong, ...others] = await client.diagnosticsOf(uri, 1);
  expect(others).toEqual([]);
  expect(wrong).toMatchObject({
    code: 'SF-DESCRIPTOR-VALUE',
    severity: 1,
    message: expect.stringContaining("(did you mean 'nft'?)"),
    range: { start: place(text, 'ntf') },
  });

  const start = place(text, 'ntf');
  const range = { start, end: { line: start.line, character: start.character + 3 } };
  client.notify('textDocument/didChange', {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range, text: 'nft' }],
  });
  expect(await client.diagnosticsOf(uri, 2)).toEqual([]);

  const at = (what: string, more = 0) => ({ textDocument: { uri }, position: place(example, what, more) });
  const completed = await client.request('textDocument/completion', at('environment: nft', 'environment: '.length));
  expect(completed.result).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ label: 'vm' })]) });
  const hovered = await client.request('textDocument/hover', at('forwards: true', 2));
  expect(hovered.result).toMatchObject({ contents: { value: expect.stringContaining('Packets pass through it') } });

  const network = /name: (users)/.exec(example)!;
  const used = at('ports: [users', 'ports: ['.length + 1);
  const definition = await client.request('textDocument/definition', used);
  expect(definition.result).toEqual([
    { uri, range: { start: place(example, network[0], 6), end: place(example, network[0], 11) } },
  ]);
  const found = await client.request('textDocument/references', { ...used, context: { includeDeclaration: true } });
  const references = found.result as readonly object[];
  expect(references.length).toBeGreaterThan(1);
  expect((await client.request('textDocument/documentHighlight', used)).result).toHaveLength(references.length);
  expect((await client.request('textDocument/prepareRename', used)).result).toMatchObject({ placeholder: 'users' });
  const renamed = await client.request('textDocument/rename', { ...used, newName: 'people' });
  const changes = (renamed.result as { changes: Record<string, readonly { newText: string }[]> }).changes[uri]!;
  expect(changes.map(({ newText }) => newText)).toEqual(references.map(() => 'people'));
  const taken = await client.request('textDocument/rename', { ...used, newName: 'ran' });
  expect(taken.error).toMatchObject({ code: -32_803, message: expect.stringContaining("'ran'") });

  client.notify('textDocument/didClose', { textDocument: { uri } });
  await client.until(
    ({ method, params }) => method === 'textDocument/publishDiagnostics' && params?.version === undefined,
  );
  expect((await client.request('textDocument/hover', used)).result).toBeNull();
  expect((await client.request('shutdown')).result).toBeNull();
  expect((await client.request('textDocument/hover', used)).error).toMatchObject({ code: -32_600 });
  client.notify('exit');
  expect(await client.exit).toBe(0);
});

test('of Click and NEMO too, with the files beside', async () => {
  const client = await editor().started();
  writeFileSync(join(folder, 'lib.click'), 'elementclass Lib { $x | input -> Shaper($x) -> output }');
  const click = 'require(library lib.click);\r\na :: Queue; é = \r\n';
  client.open(uriOf('main.click'), 'click', click);
  expect((await client.diagnosticsOf(uriOf('main.click'), 1)).map(({ range, code }) => [range.start, code])).toEqual([
    [{ line: 1, character: 12 }, 'SF-DESCRIPTOR-SYNTAX'],
  ]);
  const whole = 'require(library lib.click);\na :: Queue; Idle -> Lib(7) -> a -> Unqueue -> Discard;';
  client.notify('textDocument/didChange', {
    textDocument: { uri: uriOf('main.click'), version: 2 },
    contentChanges: [{ text: whole }],
  });
  expect(await client.diagnosticsOf(uriOf('main.click'), 2)).toEqual([]);
  const position = place(whole, '-> a', 4);
  const renamed = await client.request('textDocument/rename', {
    textDocument: { uri: uriOf('main.click') },
    position,
    newName: 'store',
  });
  expect((renamed.result as { changes: object }).changes).toMatchObject({ [uriOf('main.click')]: { length: 2 } });

  const nemo = 'CREATE Node a Type host;\nCREATE Node b Type hst;';
  client.open(uriOf('intent.txt'), 'plaintext', nemo);
  expect((await client.diagnosticsOf(uriOf('intent.txt'), 1)).map(({ code }) => code)).toContain(
    'SF-DESCRIPTOR-REFERENCE',
  );
  // Other languages are not ours.
  client.open('untitled:Untitled-1', 'yaml', 'apiVersion: v1\nkind: Pod\n');
  expect(await client.diagnosticsOf('untitled:Untitled-1', 1)).toEqual([]);
});

test('of other dialects, known by what is in the file', async () => {
  const client = await editor().started();
  const template = [
    'heat_template_version: 2018-08-31',
    'resources:',
    '  lan: {type: OS::Neutron::Net}',
    '  web:',
    '    type: OS::Nova::Server',
    '    properties: {image: debian, flavor: small, networks: [{network: {get_resource: lan}}], user_data: {get_file: run.sh}}',
    '',
  ].join('\n');
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n');
  client.open(uriOf('stack.yaml'), 'yaml', template);
  const found = await client.diagnosticsOf(uriOf('stack.yaml'), 1);
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter(({ severity }) => severity === 1)).toEqual([]);
  const at = { textDocument: { uri: uriOf('stack.yaml') }, position: place(template, 'get_resource: lan', 15) };
  expect((await client.request('textDocument/hover', at)).result).toMatchObject({
    contents: { value: 'resource `lan`: OS::Neutron::Net' },
  });
  expect((await client.request('textDocument/completion', at)).result).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ label: 'lan' })]),
  });
});

describe('what is no message of the protocol', () => {
  test('is refused, and the next message is answered', async () => {
    const client = await editor().started();
    const bodies = [
      '{',
      '[]',
      'null',
      '{"jsonrpc":"1.0","id":1,"method":"x"}',
      '{"jsonrpc":"2.0","id":{},"method":"x"}',
      '['.repeat(100_000),
      Buffer.from([0x22, 0xff, 0x22]),
      '',
    ];
    for (const body of bodies) {
      const bytes = Buffer.from(body);
      client.write(Buffer.concat([Buffer.from(`Content-Length: ${bytes.length}\r\n\r\n`), bytes]));
    }
    client.notify('no/such/notification', { a: 1 });
    client.notify('textDocument/didOpen', { textDocument: { uri: 7 } });
    client.notify('textDocument/didChange', {
      textDocument: { uri: 'file:///x', version: 1 },
      contentChanges: [{ text: '' }],
    });
    expect((await client.request('no/such/method')).error).toMatchObject({ code: -32_601 });
    expect((await client.request('textDocument/hover', { textDocument: {} })).error).toMatchObject({ code: -32_602 });
    expect((await client.request('initialize', {})).error).toMatchObject({ code: -32_600 });
    const errors = client.received.filter(({ id, error }) => id === null && error !== undefined);
    const counts = (code: number) => errors.filter(({ error }) => error!.code === code).length;
    // The third of the messages that are none of JSON-RPC has an id that can be answered.
    expect([counts(-32_600), counts(-32_700), errors.length]).toEqual([3, 4, 7]);
    expect(client.received.filter(({ id, error }) => id === 1 && error !== undefined)).toHaveLength(1);

    // Headers in any order and case, and messages in any pieces.
    const request = frame({ jsonrpc: '2.0', id: 'pieces', method: 'textDocument/hover', params: {} }).toString();
    const odd = request.replace(
      'Content-Length',
      'Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length',
    );
    for (const character of odd) client.write(character);
    expect((await client.until(({ id }) => id === 'pieces')).error).toMatchObject({ code: -32_602 });
  });

  test.each([
    ['a header without a length', 'Content-Type: x\r\n\r\n{}'],
    ['a negative length', 'Content-Length: -1\r\n\r\n{}'],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
    ['a length that is none', 'Content-Length: 1e3\r\n\r\n'],
    ['more than is read', 'Content-Length: 99999999\r\n\r\n'],
    ['a header without an end', `X: ${'x'.repeat(10_000)}`],
  ])('%s ends the session, since nobody knows where the next message begins', async (_name, bytes) => {
    const client = await editor().started();
    client.write(bytes);
    expect((await client.until(({ id }) => id === null)).error).toMatchObject({ code: -32_700 });
    expect(await client.exit).toBe(1);
  });

  test('before initialize nothing is answered, and who leaves without shutdown has failed', async () => {
    const client = editor();
    expect((await client.request('textDocument/hover', {})).error).toMatchObject({ code: -32_002 });
    client.open('file:///x.click', 'click', 'a ::');
    await client.started();
    client.process.stdin.end();
    expect(await client.exit).toBe(1);
    expect(client.received.some(({ method }) => method === 'textDocument/publishDiagnostics')).toBe(false);
  });
});
