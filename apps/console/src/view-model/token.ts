/**
 * The control plane opens the console with the token in the fragment (`#token=…`), which browsers never send. It is
 * taken out of the URL at once, so that it ends up in no history, bookmark or screenshot.
 */
export interface TakenToken {
  readonly token: string | undefined;
  /** What is left of the fragment, with its `#`, or empty. */
  readonly hash: string;
}

export function takeToken(hash: string): TakenToken {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const token = parameters.get('token')?.trim();
  if (token === undefined) return { token: undefined, hash };
  parameters.delete('token');
  const rest = parameters.toString();
  return { token: token === '' ? undefined : token, hash: rest === '' ? '' : `#${rest}` };
}
