import type { Credential } from './credential.ts';

/**
 * Answers to what the page asked for before its own code was there, see early.ts. They are kept by whoever runs first, and
 * each is taken once, by whoever would ask the same for the same user or with the same token.
 */
interface WithEarlyAnswers {
  superfluidityAnswers?: Map<string, Promise<Response>>;
}

/** Older ones say what was, and not what is. */
const KEPT_MS = 5_000;

const here = globalThis as WithEarlyAnswers;
const keyOf = (url: URL | string, credential: Credential): string =>
  `${credential.kind} ${credential.kind === 'token' ? credential.token : credential.user} ${url}`;

/** Asks, and keeps the answer; the caller reads a copy of it. */
export function askEarly(credential: Credential): typeof fetch {
  const answers = (here.superfluidityAnswers ??= new Map<string, Promise<Response>>());
  setTimeout(() => answers.clear(), KEPT_MS);
  return (input, init) => {
    const answer = fetch(input, init);
    answers.set(keyOf(input as URL, credential), answer);
    return answer.then((response) => response.clone());
  };
}

export function takeEarly(input: Parameters<typeof fetch>[0], init: RequestInit | undefined, credential: Credential) {
  const answers = here.superfluidityAnswers;
  if (answers === undefined || (init?.method ?? 'GET') !== 'GET') return undefined;
  const key = keyOf(input as URL, credential);
  const answer = answers.get(key);
  answers.delete(key);
  return answer;
}
