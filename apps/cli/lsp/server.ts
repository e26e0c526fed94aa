import {
  addLanguages,
  complete,
  type CompletionKind,
  definitions,
  diagnostics,
  hover,
  type Language,
  type LanguageDocument,
  languageOf,
  references,
  renamable,
  rename,
  type Span,
} from '@superfluidity/language';
import { dialectLanguageOf, dialectSupports } from '@superfluidity/language/dialects';
import { codes, message as messageShape, type Method, type Parameters, parameters, Refusal } from './protocol.ts';
import { type PlaceRange, Places } from './positions.ts';

export const serverLimits = { documents: 1_000, characters: 4 * 2 ** 20, pauseMs: 150 } as const;

addLanguages(dialectSupports);

const languageIn = (path: string, text: string): Language | undefined =>
  languageOf(path, text) ?? (/\.(?:ya?ml|json|xml|template)$/i.test(path) ? dialectLanguageOf(path, text) : undefined);

/** What a server needs of the world. */
export interface Outside {
  readonly send: (message: object) => void;
  readonly log: (line: string) => void;
  /** Runs later, once for a key: what was to run before is not run. */
  readonly later: (key: string, ms: number, run: () => void) => void;
  readonly beside: (
    document: LanguageDocument,
    uri: string,
    open: (path: string) => string | undefined,
  ) => Promise<NonNullable<LanguageDocument['beside']>>;
  readonly exit: (code: number) => void;
}

interface Open {
  readonly uri: string;
  readonly version: number;
  readonly text: string;
  readonly places: Places;
  /** Absent for texts that are not ours, and for those that are too long. */
  readonly document?: LanguageDocument;
}

type Id = string | number | null;

/** A language server of LSP 3.17: takes messages one by one, and answers each request. */
export class LanguageServer {
  readonly #outside: Outside;
  readonly #open = new Map<string, Open>();
  #state: 'new' | 'running' | 'shut down' = 'new';

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** Bytes between the headers of two messages. */
  receive(body: Buffer): void {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      return this.#refuse(null, codes.parseError, 'the message is no JSON');
    }
    const shape = messageShape.safeParse(value);
    if (!shape.success) return this.#refuse(idOf(value), codes.invalidRequest, 'the message is none of JSON-RPC 2.0');
    const { id, method, params } = shape.data;
    // An answer: nothing is asked of clients.
    if (method === undefined) return;
    if (id === undefined) this.#notification(method, params);
    else this.#request(id, method, params);
  }

  /** The client has gone. */
  ended(): void {
    this.#outside.exit(this.#state === 'shut down' ? 0 : 1);
  }

  #request(id: Id, method: string, params: unknown): void {
    try {
      this.#outside.send({ jsonrpc: '2.0', id, result: this.#answer(method, params) });
    } catch (error) {
      if (error instanceof Refusal) return this.#refuse(id, error.code, error.message);
      this.#outside.log(`${method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      this.#refuse(id, codes.internalError, `${method} failed; standard error says how`);
    }
  }

  #refuse(id: Id, code: number, reason: string): void {
    this.#outside.send({ jsonrpc: '2.0', id, error: { code, message: reason } });
  }

  #answer(method: string, params: unknown): unknown {
    if (method === 'initialize') {
      if (this.#state !== 'new') throw new Refusal(codes.invalidRequest, 'it was initialized before');
      this.#state = 'running';
      return { capabilities, serverInfo: { name: 'superfluidity' } };
    }
    if (this.#state === 'new') throw new Refusal(codes.notInitialized, 'initialize comes first');
    if (this.#state === 'shut down') throw new Refusal(codes.invalidRequest, 'it was shut down');
    switch (method) {
      case 'shutdown':
        this.#state = 'shut down';
        return null;
      case 'textDocument/completion':
        return this.#at(method, params, (document, offset, { places }) => ({
          isIncomplete: false,
          items: complete(document, offset).map(({ label, kind, insert, detail, documentation, ...span }) => ({
            label,
            kind: itemKinds[kind],
            textEdit: { range: places.range(span), newText: insert ?? label },
            ...(detail === undefined ? {} : { detail }),
            ...(documentation === undefined ? {} : { documentation: { kind: 'markdown', value: documentation } }),
          })),
        }));
      case 'textDocument/hover':
        return this.#at(method, params, (document, offset, { places }) => {
          const found = hover(document, offset);
          return found === undefined
            ? null
            : { contents: { kind: 'markdown', value: found.text }, range: places.range(found) };
        });
      case 'textDocument/definition':
        return this.#at(method, params, (document, offset, open) => locations(definitions(document, offset), open));
      case 'textDocument/references':
        return this.#at(method, params, (document, offset, open) => locations(references(document, offset), open));
      case 'textDocument/documentHighlight':
        return this.#at(method, params, (document, offset, { places }) =>
          references(document, offset).map((span) => ({ range: places.range(span) })),
        );
      case 'textDocument/prepareRename':
        return this.#at(method, params, (document, offset, { places }) => {
          const found = renamable(document, offset);
          if ('refused' in found) throw new Refusal(codes.requestFailed, found.refused);
          return { range: places.range(found.span), placeholder: found.name };
        });
      case 'textDocument/rename':
        return this.#at(method, params, (document, offset, { uri, places }, { newName }) => {
          const renamed = rename(document, offset, newName);
          if ('refused' in renamed) throw new Refusal(codes.requestFailed, renamed.refused);
          const edits = renamed.edits.map(({ text, ...span }) => ({ range: places.range(span), newText: text }));
          return { changes: { [uri]: edits } };
        });
      default:
        throw new Refusal(codes.methodNotFound, `there is no method ${method}`);
    }
  }

  /** Null where there is no text of ours. */
  #at<M extends Extract<Method, `textDocument/${string}`>>(
    method: M,
    params: unknown,
    answer: (
      document: LanguageDocument,
      offset: number,
      open: Open,
      given: Extract<Parameters<M>, { readonly position: unknown }>,
    ) => unknown,
  ): unknown {
    const given = read(method, params) as Extract<Parameters<M>, { readonly position: unknown }>;
    const { textDocument, position } = given as Parameters<'textDocument/hover'>;
    const open = this.#open.get(textDocument.uri);
    return open?.document === undefined ? null : answer(open.document, open.places.offset(position), open, given);
  }

  #notification(method: string, params: unknown): void {
    if (method === 'exit') return this.ended();
    if (this.#state !== 'running') return;
    try {
      if (method === 'textDocument/didOpen') this.#opened(read(method, params));
      else if (method === 'textDocument/didChange') this.#changed(read(method, params));
      else if (method === 'textDocument/didClose') this.#closed(read(method, params));
    } catch (error) {
      this.#outside.log(`${method}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #opened({ textDocument }: Parameters<'textDocument/didOpen'>): void {
    const { uri, languageId, version, text } = textDocument;
    if (this.#open.size >= serverLimits.documents && !this.#open.has(uri))
      throw new Refusal(codes.requestFailed, `more than ${serverLimits.documents} documents are open`);
    this.#keep(uri, version, text, languages[languageId.toLowerCase()] ?? languageIn(pathOf(uri), text));
  }

  #changed({ textDocument, contentChanges }: Parameters<'textDocument/didChange'>): void {
    const { uri, version } = textDocument;
    const before = this.#open.get(uri);
    if (before === undefined) return;
    let { text, places } = before;
    for (const change of contentChanges) {
      text = change.range === undefined ? change.text : replaced(text, places, change.range, change.text);
      if (text.length > serverLimits.characters * 2) text = text.slice(0, serverLimits.characters * 2);
      places = new Places(text);
    }
    this.#keep(uri, version, text, before.document?.language ?? languageIn(pathOf(uri), text));
  }

  #closed({ textDocument: { uri } }: Parameters<'textDocument/didClose'>): void {
    this.#open.delete(uri);
    this.#publish(uri, []);
  }

  #keep(uri: string, version: number, text: string, language: Language | undefined): void {
    const isOurs = language !== undefined && text.length <= serverLimits.characters;
    const document = isOurs ? { document: { path: pathOf(uri), text, language } } : {};
    this.#open.set(uri, { uri, version, text, places: new Places(text), ...document });
    this.#outside.later(uri, serverLimits.pauseMs, () => void this.#check(uri));
  }

  /** What was found of a text that has been changed since is not told. */
  async #check(uri: string): Promise<void> {
    const open = this.#open.get(uri);
    if (open === undefined) return;
    const { document, places, version } = open;
    if (document === undefined) return this.#publish(uri, [], version);
    try {
      const files = await this.#outside.beside(document, uri, (path) => this.#textOf(path));
      if (this.#open.get(uri) !== open) return;
      const found = diagnostics(files.length === 0 ? document : { ...document, beside: files });
      this.#publish(
        uri,
        found.map(({ problem: { code, message, severity, suggestion }, ...span }) => ({
          range: places.range(span),
          severity: severity === 'error' ? 1 : 2,
          code,
          source: 'superfluidity',
          message: suggestion === undefined ? message : `${message} (${suggestion})`,
        })),
        version,
      );
    } catch (error) {
      this.#outside.log(`check ${uri}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }

  #publish(uri: string, list: readonly object[], version?: number): void {
    const params = { uri, diagnostics: list, ...(version === undefined ? {} : { version }) };
    this.#outside.send({ jsonrpc: '2.0', method: 'textDocument/publishDiagnostics', params });
  }

  /** Of a file that is open: what is written in it, not what is on the disk. */
  #textOf(path: string): string | undefined {
    for (const { uri, text } of this.#open.values()) if (pathOf(uri) === path) return text;
    return undefined;
  }
}

function read<M extends Method>(method: M, params: unknown): Parameters<M> {
  const shape = parameters[method].safeParse(params);
  if (shape.success) return shape.data as Parameters<M>;
  const [issue] = shape.error.issues;
  throw new Refusal(codes.invalidParams, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as it should be'}`);
}

function locations(spans: readonly Span[], { uri, places }: Open) {
  return spans.map((span) => ({ uri, range: places.range(span) }));
}

function replaced(text: string, places: Places, { start, end }: PlaceRange, by: string): string {
  const [from, to] = [places.offset(start), places.offset(end)];
  return text.slice(0, Math.min(from, to)) + by + text.slice(Math.max(from, to));
}

function idOf(value: unknown): Id {
  const id = value !== null && typeof value === 'object' && 'id' in value ? value.id : null;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

/** The path of a `file:` URI, as far as that can be told; of others what is behind the scheme. */
function pathOf(uri: string): string {
  const path = uri.replace(/^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*)?/i, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Names that editors give to our languages. Descriptors are `yaml` to them, and known by their content. */
const languages: Readonly<Record<string, Language>> = { click: 'click', nemo: 'nemo', superfluidity: 'native' };

const itemKinds: Readonly<Record<CompletionKind, number>> = { class: 7, field: 5, value: 12, keyword: 14, name: 6 };

const capabilities = {
  positionEncoding: 'utf-16',
  textDocumentSync: { openClose: true, change: 2 },
  completionProvider: { triggerCharacters: ['.', '$', '>', ':', '[', ' '] },
  hoverProvider: true,
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
} as const;
