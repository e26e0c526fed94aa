/** The entrance for who needs a terminal of this machine itself, such as a test that plays a person. */
export { Pty } from './kernel/pty.ts';
export { spawnProgram } from '@superfluidity/router';
