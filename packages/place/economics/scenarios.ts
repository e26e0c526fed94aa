import bologna from './scenarios/bologna.json' with { type: 'json' };
import sanFrancisco from './scenarios/san-francisco.json' with { type: 'json' };
import type { Scenario } from './scenario.ts';

/** The scenarios that come with the product, by name. */
export const scenarios: Readonly<Record<'bologna' | 'san-francisco', Scenario>> = {
  bologna: bologna as Scenario,
  'san-francisco': sanFrancisco as Scenario,
};
