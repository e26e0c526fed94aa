import { readFile } from 'node:fs/promises';
import { routes } from '@superfluidity/api';
import { expect, test } from 'vitest';
import { generateOpenApi, openApiFile } from './openapi.ts';

test('the committed OpenAPI document is current (else: node apps/server/openapi.ts)', async () => {
  const text = await generateOpenApi();
  expect(await readFile(openApiFile, 'utf8')).toBe(text);
  const document = JSON.parse(text);
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path as object));
  expect(operations.map((operation) => String(operation.operationId)).sort()).toEqual(Object.keys(routes).sort());
});
