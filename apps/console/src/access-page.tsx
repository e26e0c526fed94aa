import type { Credential } from './data/credential.ts';
import { SignInForm } from './sign-in/sign-in-form.tsx';
import { Brand } from './ui/brand.tsx';

/** Who has neither signed in nor a token sees this alone. */
export function AccessPage({
  refused,
  onDone,
}: {
  /** What was tried, and is not accepted. */
  readonly refused?: Credential;
  readonly onDone: (credential: Credential) => void;
}) {
  const title =
    refused === undefined
      ? 'Sign in'
      : refused.kind === 'token'
        ? 'This token is not accepted'
        : 'Your session is over';
  return (
    <main className="sf-access">
      <section className="sf-access__card" aria-labelledby="access-title">
        <Brand />
        <h1 id="access-title">{title}</h1>
        {refused?.kind === 'token' && <p>It may belong to another control plane, or have been replaced.</p>}
        <SignInForm
          key={title}
          onDone={onDone}
          first={refused?.kind ?? 'session'}
          {...(refused?.kind === 'session' ? { user: refused.user } : {})}
        />
      </section>
    </main>
  );
}
