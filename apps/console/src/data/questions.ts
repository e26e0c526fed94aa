import { shownService } from '../view-model/shown-service.ts';
import { type queries, sitesDetailed } from './queries.ts';

type Questions = ReturnType<typeof queries>;
type Question = { readonly queryFn?: unknown };
export type Answer<Q extends Question> = Q['queryFn'] extends infer F | undefined
  ? F extends (...given: never[]) => infer R
    ? Awaited<R>
    : never
  : never;
export type Ask = <Q extends Question>(question: Q) => Promise<Answer<Q>>;

/**
 * The questions of the overview, of a service and of a design, each asked as soon as the one before it that it needs is
 * answered. Whatever fails is asked for again by the page, which also shows why.
 */
export function askFor(at: Pick<Location, 'pathname' | 'search'>, q: Questions, ask: Ask): Promise<unknown> {
  const search = new URLSearchParams(at.search);
  const all: Promise<unknown>[] = [ask(q.me), ask(q.system)];
  const named = /^\/services\/([^/]+)$/.exec(at.pathname)?.[1];
  if (at.pathname === '/' || named !== undefined) {
    const service = async () => {
      const asked = named ?? search.get('service') ?? undefined;
      const name = asked ?? shownService(await ask(q.services));
      if (name !== undefined) await ask(q.service(decodeURIComponent(name)));
    };
    const sites = async () => {
      await Promise.all(sitesDetailed(await ask(q.sites)).map((name) => ask(q.site(name))));
    };
    all.push(service(), sites(), ask(q.links));
  }
  const design = search.get('descriptor');
  if (at.pathname === '/designer' && design !== null) all.push(ask(q.descriptor(design)));
  return Promise.allSettled(all);
}
