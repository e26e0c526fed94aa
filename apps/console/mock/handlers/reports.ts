import {
  type CallReply,
  type CharacterisationReport,
  type CharacterisationSummary,
  listShapes,
  pageOf,
} from '@superfluidity/api';
import type { Handlers } from '../handlers.ts';
import { sentinel } from '../look.ts';
import { found } from '../refusal.ts';
import type { World } from '../world.ts';

/** Reports of characterisations. */
export function reportHandlers(
  world: World,
): Pick<Handlers, 'listCharacterisations' | 'getCharacterisation' | 'putCharacterisation' | 'removeCharacterisation'> {
  const characterisation = (name: string | undefined) => {
    sentinel(name);
    return found(
      world.characterisations.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no characterisation ${name}`,
      'Publish one with `superfluidity characterise publish`.',
    );
  };
  return {
    listCharacterisations: ({ query }) =>
      pageOf([...world.characterisations.values()].map(summaryOf), query as never, listShapes.characterisations),
    getCharacterisation: ({ params }) => characterisation(params['name']),
    putCharacterisation: ({ params, body }) => {
      const made = { ...(body as unknown as CharacterisationReport), name: params['name']!, updatedAt: Date.now() };
      world.characterisations.set(made.name, made);
      return summaryOf(made);
    },
    removeCharacterisation: ({ params }) => {
      world.characterisations.delete(characterisation(params['name']).name);
      return null;
    },
  };
}

const summaryOf = (one: CallReply<'getCharacterisation'>): CharacterisationSummary => {
  const { name, service, experiments, samples, accuracy, updatedAt } = one;
  return { name, service, experiments, samples, accuracy, updatedAt };
};
