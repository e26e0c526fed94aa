export { cniCommand, daemonCommand } from './command.ts';
