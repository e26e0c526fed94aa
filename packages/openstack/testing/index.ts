export * from './auth-words.ts';
export * from './fault-proxy.ts';
export * from './lab.ts';
export * from './own-project.ts';
export { StandIn } from './stand-in.ts';
