/**
 * Who may import what (ARCHITECTURE.md, "Rooms"). tools/import-rules.ts runs this, checks that it read every file, and
 * plants violations to see that they are found.
 *
 * `@swc/core` has to be installed: with TypeScript 7 and without it dependency-cruiser reads nothing and finds no fault.
 */
const { readdirSync, readFileSync, existsSync } = require('node:fs');
const { join } = require('node:path');
const { Visitor } = require('@swc/core/Visitor.js');

// The visitor of swc 1.16 does not know `using` declarations, which look like variable declarations.
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};

const TESTS = '[.]test[.]tsx?$|/testing/|/testing[.]ts$';
const PURE = '(?:click|dialects|language|place|verify|scale|learn)';

/** Files through which a package may be entered, as its package.json says. */
const entrances = ['packages', 'drivers'].flatMap((folder) =>
  readdirSync(join(__dirname, folder)).flatMap((room) => {
    const manifest = join(__dirname, folder, room, 'package.json');
    if (!existsSync(manifest)) return [];
    return Object.values(JSON.parse(readFileSync(manifest, 'utf8')).exports ?? {}).map((file) =>
      join(folder, room, file).replaceAll('.', '[.]'),
    );
  }),
);

const notIn = (...rooms) => `^packages/(?!(?:${rooms.join('|')})/)`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other at run time are one file, or want a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'What is imported is there, and stands in the package.json of the workspace.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'entrance',
      comment: 'A package is entered through the files that its package.json exports.',
      severity: 'error',
      from: { path: '^((?:packages|drivers|apps)/[^/]+|tools|bench|lab|examples)/' },
      to: { path: '^(packages|drivers)/[^/]+/', pathNot: ['^$1/', `^(?:${entrances.join('|')})$`] },
    },
    {
      name: 'core-imports-nothing',
      severity: 'error',
      from: { path: '^packages/core/', pathNot: TESTS },
      to: { path: ['^packages/(?!core/)', '^(?:apps|drivers)/'] },
    },
    {
      name: 'model-imports-core',
      severity: 'error',
      from: { path: '^packages/model/', pathNot: TESTS },
      to: { path: notIn('core', 'model') },
    },
    {
      name: 'pure-rooms-import-pure-rooms',
      severity: 'error',
      from: { path: `^packages/${PURE}/`, pathNot: TESTS },
      to: { path: notIn('core', 'model', PURE) },
    },
    {
      name: 'pure-rooms-do-nothing-to-the-world',
      comment: 'No I/O: what they need is an argument. Hashes are values; a thread computes.',
      severity: 'error',
      from: { path: `^packages/(?:model|${PURE})/`, pathNot: TESTS },
      to: { dependencyTypes: ['core'], pathNot: '^(?:node:)?(?:crypto|assert|util|url|worker_threads)$' },
    },
    {
      name: 'languages-run-in-a-browser',
      comment: 'The editor of the console asks what a command asks. Hashes are not asked for there.',
      severity: 'error',
      from: { path: '^packages/(?:click|language)/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'api-has-definitions-only',
      severity: 'error',
      from: { path: '^packages/api/', pathNot: TESTS },
      to: { path: notIn('core', 'model', 'api') },
    },
    {
      name: 'characterise-imports-what-it-describes',
      comment: 'Sites and control planes come to it through its own ports.',
      severity: 'error',
      from: { path: '^packages/characterise/', pathNot: TESTS },
      to: { path: notIn('core', 'model', PURE, 'characterise') },
    },
    {
      name: 'characterise-touches-the-world-in-two-places',
      comment: 'Traffic is sent and results are kept; all else are values.',
      severity: 'error',
      from: { path: '^packages/characterise/(?!traffic/|run/)', pathNot: TESTS },
      to: { dependencyTypes: ['core'], pathNot: '^(?:node:)?crypto$' },
    },
    {
      name: 'drivers-import-the-port',
      severity: 'error',
      from: { path: '^drivers/', pathNot: TESTS },
      to: { path: notIn('core', 'model', 'site', 'fabric', 'openstack', 'haproxy', 'netlink', 'router') },
    },
    {
      name: 'netlink-knows-the-kernel-and-nothing-else',
      severity: 'error',
      from: { path: '^packages/netlink/', pathNot: TESTS },
      to: { path: notIn('core', 'netlink') },
    },
    {
      name: 'router-is-what-drivers-share-on-a-machine',
      severity: 'error',
      from: { path: '^packages/router/', pathNot: TESTS },
      to: { path: notIn('core', 'fabric', 'netlink', 'router', 'site') },
    },
    {
      name: 'openstack-is-a-client-and-nothing-else',
      severity: 'error',
      from: { path: '^packages/openstack/', pathNot: TESTS },
      to: { path: notIn('core', 'openstack') },
    },
    {
      name: 'drivers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^drivers/([^/]+)/' },
      to: { path: '^drivers/', pathNot: '^drivers/$1/' },
    },
    {
      name: 'only-apps-import-drivers',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { path: '^drivers/' },
    },
    {
      name: 'nothing-imports-an-app',
      comment: 'Tools and benchmarks start what a user starts; nothing that is part of the product does.',
      severity: 'error',
      from: { path: '^(?:packages|drivers|examples)/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-do-not-import-each-other',
      comment: 'The command starts the server as a process of its own, and so do tests.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'rooms-of-kuryr-do-not-know-each-other',
      comment:
        'Controller and nodes meet in the objects of the cluster (api), and both use what asks Kubernetes (kubernetes).',
      severity: 'error',
      from: { path: '^apps/kuryr/(controller|node|api|kubernetes)/', pathNot: TESTS },
      to: { path: '^apps/kuryr/', pathNot: ['^apps/kuryr/$1/', '^apps/kuryr/(?:api|kubernetes)/'] },
    },
    {
      name: 'daemon-of-kuryr-does-not-know-the-controller',
      comment:
        'It is the process of a node, and carries out there what the room `node` makes of Services and policies.',
      severity: 'error',
      from: { path: '^apps/kuryr/cni/', pathNot: TESTS },
      to: { path: '^apps/kuryr/', pathNot: '^apps/kuryr/(?:cni|api|kubernetes)/|^apps/kuryr/node/index[.]ts$' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(?:^|/)dist/' },
    moduleSystems: ['es6'],
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
