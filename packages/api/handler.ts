import type { z } from 'zod';
import type { CallReply } from './client.ts';
import type { RouteName, Routes } from './routes.ts';

type Out<R, K extends string> = R extends { [P in K]: infer S extends z.ZodType } ? { [P in K]: z.output<S> } : unknown;

/** What a handler gets: the parts of the request as their schemas give them, and who asks. */
export type HandlerInput<N extends RouteName> = Out<Routes[N], 'params'> &
  Out<Routes[N], 'query'> &
  Out<Routes[N], 'body'> & {
    readonly principal: Principal;
    /** Fires when the caller goes away. */
    readonly signal: AbortSignal;
    /** `Last-Event-ID` of a stream that is resumed. */
    readonly lastEventId?: number;
    /** Of a request by HTTP. */
    readonly connection?: Connection;
  };

export interface Principal {
  /** Of the user. */
  readonly name: string;
  readonly role: 'anyone' | 'reader' | 'admin';
  /** The token that was shown, by name, or the session. */
  readonly token?: string;
  readonly session?: { readonly id: string; readonly expiresAt: number };
}

/** From where somebody asks, and the session that the browser there keeps. */
export interface Connection {
  readonly address: string;
  readonly agent: string;
  keepSession(secret: string, expiresAt: number): void;
  forgetSession(): void;
}

/** Plain routes answer with a value, stream routes with the values to send; `id` makes a stream resumable. */
export type Handler<N extends RouteName> = Routes[N] extends { stream: true }
  ? (input: HandlerInput<N>) => AsyncIterable<{ readonly id?: number; readonly value: CallReply<N> }>
  : (input: HandlerInput<N>) => Promise<CallReply<N>>;

/** The handlers that one package brings. The server refuses to start unless every route has exactly one. */
export type Handlers<N extends RouteName> = { readonly [K in N]: Handler<K> };
