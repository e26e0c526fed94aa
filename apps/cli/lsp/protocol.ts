import { z } from 'zod';

/** What clients send, of LSP 3.17, as far as it is read. */
const place = z.object({ line: z.int().min(0), character: z.int().min(0) });
const range = z.object({ start: place, end: place });
const uri = z.string().min(1).max(8_192);
const identifier = z.object({ uri });
const at = z.object({ textDocument: identifier, position: place });

export const message = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string().max(1_024), z.number(), z.null()]).optional(),
  method: z.string().max(1_024).optional(),
  params: z.unknown().optional(),
});

export const parameters = {
  'textDocument/didOpen': z.object({
    textDocument: z.object({ uri, languageId: z.string().max(256), version: z.int(), text: z.string() }),
  }),
  'textDocument/didChange': z.object({
    textDocument: z.object({ uri, version: z.int() }),
    contentChanges: z.array(z.object({ range: range.optional(), text: z.string() })).max(10_000),
  }),
  'textDocument/didClose': z.object({ textDocument: identifier }),
  'textDocument/completion': at,
  'textDocument/hover': at,
  'textDocument/definition': at,
  'textDocument/references': at,
  'textDocument/documentHighlight': at,
  'textDocument/prepareRename': at,
  'textDocument/rename': at.extend({ newName: z.string().max(1_024) }),
} as const;

export type Method = keyof typeof parameters;
export type Parameters<M extends Method> = z.infer<(typeof parameters)[M]>;

/** Of JSON-RPC 2.0 and of LSP. */
export const codes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  notInitialized: -32_002,
  requestFailed: -32_803,
} as const;

/** An answer that says no. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}
