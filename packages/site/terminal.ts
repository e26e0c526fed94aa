/** Interactive sessions in units: a person at a screen, and a program that thinks it has one. */
export interface UnitTerminals {
  /** What a session with this unit would be, or why there can be none. Throws `SF-SITE-UNIT-UNKNOWN`. */
  offer(id: string): Promise<TerminalOffer>;
  /**
   * Opens a session: it ends by itself, by `close`, by the signal, with its unit, and with the control plane that opened
   * it. Nothing that was begun in it is left then. Throws `SF-SITE-NO-TERMINAL` with the reason that `offer` gives.
   */
  open(id: string, wish: TerminalWish, signal: AbortSignal): Promise<Terminal>;
}

export type TerminalOffer =
  | {
      /**
       * `program`: one that is started for the session, inside of the unit. `serial`: the console of the machine, one for
       * all, which stays as it was left. `simulated`: nothing but the driver itself answers.
       */
      readonly kind: 'program' | 'serial' | 'simulated';
      /** Whether programs learn how large the screen is. */
      readonly resizes: boolean;
      /** Whether a command can be chosen. */
      readonly commands: boolean;
    }
  | { readonly absent: string };

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface TerminalWish extends TerminalSize {
  /** A program and its arguments, given to no shell. The unit's shell when there is none. */
  readonly command?: readonly [string, ...string[]];
}

export interface Terminal {
  /** To be read once, piece by piece: what nobody takes makes the program wait, and not memory grow. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when all of it was taken. To be awaited before the next. */
  write(bytes: Uint8Array): Promise<void>;
  resize(size: TerminalSize): void;
  /** Never rejects. What was shown before can still be read afterwards. */
  readonly ended: Promise<TerminalEnd>;
  /** Idempotent; resolves when nothing of the session is left in the unit. */
  close(): Promise<void>;
}

export interface TerminalEnd {
  /** As shells tell it: 128 and the number of the signal for who was killed. Absent where there was no program. */
  readonly exitCode?: number;
  /** In words, when it did not end by itself: `the unit ended`. */
  readonly reason?: string;
}

/** The bounds of what may be asked for. */
export const terminalLimits = {
  columnsMax: 1_000,
  rowsMax: 500,
  commandWordsMax: 64,
  commandCharactersMax: 4_096,
} as const;
