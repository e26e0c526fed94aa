import { type CallReply, listShapes, pageOf } from '@superfluidity/api';
import { readDescriptor, recognise } from '@superfluidity/dialects';
import type { Handlers } from '../handlers.ts';
import { digestOf, type Look } from '../look.ts';
import { planOf, proofOfSource } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { SENTINELS } from '../sentinels.ts';
import { tell, type World } from '../world.ts';

/** Descriptors, and what they would become. */
export function catalogueHandlers(
  world: World,
  { newestOf, descriptor, textOfSource }: Look,
): Pick<
  Handlers,
  | 'listDescriptors'
  | 'addDescriptor'
  | 'getDescriptor'
  | 'setDescriptorState'
  | 'removeDescriptor'
  | 'checkService'
  | 'readInputs'
  | 'planService'
> {
  const used = (id: string) => [...world.services.values()].some((one) => one.descriptorId === id);
  return {
    listDescriptors: ({ query }) => pageOf([...world.descriptors.values()], query as never, listShapes.descriptors),
    addDescriptor: ({ body, query }) => {
      const source = textOfSource(body);
      const { files } = body as unknown as { files: NonNullable<CallReply<'getDescriptor'>['files']> };
      const { name, format } = told(source, files);
      if (name === undefined) {
        const hint = 'Compare with docs/reference/native.md, or let `superfluidity check --fix` try.';
        throw new Refusal(400, 'SF-LIFECYCLE-DESCRIPTOR', 'nothing that can be deployed at 1:1', hint);
      }
      const version = `${/version: *"?([\w.]+)/.exec(source)?.[1] ?? '1.0'}+${digestOf(source)}`;
      const known = [...world.descriptors.values()].find((one) => one.name === name && one.version === version);
      if (known !== undefined) return known;
      const newest = newestOf(name);
      const after: string | undefined = query['after'];
      if (after !== undefined && after !== (newest?.id ?? 'none'))
        throw new Refusal(
          409,
          'SF-LIFECYCLE-CHANGED',
          `save a version of ${name}: the newest is ${newest?.version} (${newest?.id})`,
          'Take over what the newest version changed, and save after it.',
        );
      const id = `desc-0mkn${world.descriptors.size}`;
      const states = { onboardingState: 'ONBOARDED', operationalState: 'ENABLED', usageState: 'NOT_IN_USE' } as const;
      const createdAt = Math.max(Date.now(), (newest?.createdAt ?? 0) + 1);
      const made = { id, name, version, format, ...states, createdAt, source, ...(files.length > 1 ? { files } : {}) };
      world.descriptors.set(id, made);
      tell(world, {
        kind: 'descriptor',
        subject: id,
        severity: 'info',
        message: `descriptor ${name} onboarded`,
        body: {},
      });
      return made;
    },
    getDescriptor: ({ params }) => descriptor(params['id']),
    setDescriptorState: ({ params, body }) => {
      const one = { ...descriptor(params['id']), operationalState: body['operationalState']! as 'ENABLED' };
      world.descriptors.set(one.id, one);
      return one;
    },
    removeDescriptor: ({ params }) => {
      const one = descriptor(params['id']);
      if (one.operationalState === 'ENABLED' || used(one.id))
        throw new Refusal(
          409,
          'SF-LIFECYCLE-IN-USE',
          used(one.id) ? 'a service was made from it' : 'it is enabled',
          'Disable it first.',
        );
      world.descriptors.delete(one.id);
      return null;
    },
    checkService: ({ body }) => {
      const source = textOfSource(body);
      return { ok: true, name: /name: *([\w-]+)/.exec(source)?.[1] ?? 'service', format: 'native', problems: [] };
    },
    readInputs: ({ body }) => {
      const properties = textOfSource(body).includes('heat_template_version') ? TEMPLATE_INPUTS : {};
      return {
        schema: { type: 'object', properties, required: Object.keys(properties).slice(0, 2) },
        count: Object.keys(properties).length,
      };
    },
    planService: ({ body }) => {
      const source = textOfSource(body['source']);
      if (source.includes(SENTINELS.unplaceable)) {
        throw new Refusal(
          409,
          'SF-PLACE-NO-CANDIDATE',
          'video/server#0 fits nowhere: edge: tier is edge, wanted moon; core: tier is core, wanted moon',
          'Change the requirements, or add a site: `superfluidity site add`.',
        );
      }
      checkInputs(source, body['inputs']);
      const name: string | undefined = body['name'];
      return planOf(name ?? /name: *([\w-]+)/.exec(source)?.[1] ?? 'service', proofOfSource(source));
    },
  };
}

/** Of what is native the name alone is looked for; other dialects are read. */
function told(source: string, files: NonNullable<CallReply<'getDescriptor'>['files']>) {
  const given = files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') }));
  const format = recognise(given) ?? 'native';
  const name = format === 'native' ? /name: *([\w-]+)/.exec(source)?.[1] : readDescriptor(given).service?.block.name;
  return { format, name };
}

/** One rule of many, refused as the control plane does. */
function checkInputs(source: string, inputs: Readonly<Record<string, unknown>> | undefined): void {
  if (!source.includes('heat_template_version') || inputs === undefined || Number(inputs['port'] ?? 8_080) !== 6_666)
    return;
  throw new Refusal(422, 'SF-LIFECYCLE-DESCRIPTOR', "read web-stack.yaml: input 'port' must be otherwise", 'See data.');
}

/** Of every Heat template, as far as the mock reads one. */
const TEMPLATE_INPUTS = {
  flavor: { type: 'string', enum: ['m1.small', 'm1.large'], description: 'Size of the servers' },
  password: { type: 'string', writeOnly: true, pattern: '^secret:[a-z0-9-]+$', description: 'Of the database' },
  port: {
    type: 'number',
    minimum: 1024,
    maximum: 65_535,
    default: 8080,
    description: 'On which the web server listens',
  },
} as const;
