#!/usr/bin/env node
// Plain JavaScript for whatever Node the machine has: the program itself needs Node 24, which the package `node` brings.
import { spawn } from 'node:child_process';
// Old versions refuse a file that imports by name what they do not have.
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  nodeModule.enableCompileCache?.();
  await import('../main.ts');
} else {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(
      `superfluidity needs Node ${NEEDED} or the npm package "node"; this is ${process.version}. Run \`npm ci\`.\n`,
    );
    process.exit(2);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  });
  // As shells do: 128 and the number of the signal.
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)));
}

/** The program of the package `node`, wherever npm put the package. */
function findNode() {
  try {
    return nodeModule.createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    return undefined;
  }
}
