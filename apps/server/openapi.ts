import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import swagger from '@fastify/swagger';
import { type Route, routes, schemas } from '@superfluidity/api';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';

export const openApiFile = new URL('../../packages/api/openapi.json', import.meta.url);

/** The OpenAPI 3.1 document that follows from the routes, as the text of the committed file. */
export async function generateOpenApi(): Promise<string> {
  const app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Superfluidity',
        version: '1',
        description:
          'The control plane. Errors are problem details (RFC 9457) that carry a stable code and the whole cause chain.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    app.route({ method: route.method, url: route.path, schema: documentation(name, route), handler: async () => null });
  }
  await app.ready();
  const document = withoutUnusedSchemas(app.swagger());
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Every schema is generated twice, as it is sent and as it is received; most of them travel in one direction only. */
function withoutUnusedSchemas(document: ReturnType<FastifyInstance['swagger']>): object {
  const { components = {}, ...rest } = document as { components?: { schemas?: Record<string, unknown> } };
  const { schemas = {} } = components;
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit(rest);
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...rest, components: { ...components, schemas: kept } };
}

function documentation(operationId: string, route: Route): object {
  const description = route.role === 'anyone' ? 'Needs no token.' : `Needs a token with the role ${route.role}.`;
  const reply = {
    description: route.stream ? 'Server-sent events; the data of each is one of these' : 'As asked',
    content: { [route.stream ? 'text/event-stream' : 'application/json']: { schema: route.reply } },
  };
  return {
    operationId,
    summary: route.summary,
    description,
    tags: [route.tag],
    ...(route.role === 'anyone' ? { security: [] } : {}),
    ...(route.params === undefined ? {} : { params: route.params }),
    ...(route.query === undefined ? {} : { querystring: route.query }),
    ...(route.body === undefined ? {} : { body: route.body }),
    response: {
      [route.status]: route.status === 204 ? route.reply.describe('Done') : reply,
      default: {
        description: 'What went wrong',
        content: { 'application/problem+json': { schema: schemas.problemDetails } },
      },
    },
  };
}

// `node apps/server/openapi.ts` writes the file; with --check it only says whether it is current.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = await generateOpenApi();
  if (process.argv.includes('--check')) process.exitCode = (await readFile(openApiFile, 'utf8')) === text ? 0 : 1;
  else await writeFile(openApiFile, text);
}
