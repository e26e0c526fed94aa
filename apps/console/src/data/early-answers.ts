/**
 * Answers to what the page asked for before its own code was there, see early.ts. They are kept by whoever runs first, and
 * each is taken once, by whoever would ask the same with the same token.
 */
interface WithEarlyAnswers {
  superfluidityAnswers?: Map<string, Promise<Response>>;
}

/** Older ones say what was, and not what is. */
const KEPT_MS = 5_000;

const here = globalThis as WithEarlyAnswers;
const keyOf = (url: URL | string, token: string): string => `${token} ${url}`;

/** Asks, and keeps the answer; the caller reads a copy of it. */
export function askEarly(token: string): typeof fetch {
  const answers = (here.superfluidityAnswers ??= new Map<string, Promise<Response>>());
  setTimeout(() => answers.clear(), KEPT_MS);
  return (input, init) => {
    const answer = fetch(input, init);
    answers.set(keyOf(input as URL, token), answer);
    return answer.then((response) => response.clone());
  };
}

export function takeEarly(input: Parameters<typeof fetch>[0], init: RequestInit | undefined, token: string) {
  const answers = here.superfluidityAnswers;
  if (answers === undefined || (init?.method ?? 'GET') !== 'GET') return undefined;
  const key = keyOf(input as URL, token);
  const answer = answers.get(key);
  answers.delete(key);
  return answer;
}
