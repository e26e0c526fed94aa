import { defineErrors, SuperfluidityError } from '@superfluidity/core';

export const netlinkErrors = defineErrors({
  'SF-LINUX-UNSUPPORTED': {
    status: 501,
    title: 'This machine cannot do what was asked of its kernel',
    hint: 'Linux and root are needed. `superfluidity doctor` names what is missing; the simulated site runs everywhere.',
  },
  'SF-LINUX-SYSCALL': {
    status: 500,
    title: 'The kernel refused a system call',
    hint: 'The answer names the reason of the kernel. EPERM means: run as root. `superfluidity doctor` checks the rest.',
  },
  'SF-LINUX-NETLINK': {
    status: 500,
    title: 'The kernel refused a change of the network',
    hint: 'The answer carries the words of the kernel. EEXIST and ENODEV mean that somebody else changed the network meanwhile: retry.',
  },
  'SF-LINUX-BAD-NAME': {
    status: 400,
    title: 'A name cannot be used by the kernel',
    hint: 'Use letters, digits, `.`, `_` and `-`; at most 15 characters for an interface, no path separators.',
  },
  'SF-LINUX-BAD-ADDRESS': {
    status: 400,
    title: 'An address is not an IPv4, IPv6 or MAC address',
    hint: 'Write 192.0.2.1, 192.0.2.0/24, 2001:db8::1, 2001:db8::/64 or 02:00:00:00:00:01.',
  },
});

/** The kernel's name of the error (`EEXIST`) when the kernel was the one who refused. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof SuperfluidityError) {
    const errno = error.details.data?.['errno'];
    return typeof errno === 'string' ? errno : undefined;
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Runs `work`; a refusal by one of the given kernel errors counts as done. For idempotent creation and deletion. */
export function tolerating(errnos: readonly string[], work: () => void): void {
  try {
    work();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || !errnos.includes(errno)) throw error;
  }
}
