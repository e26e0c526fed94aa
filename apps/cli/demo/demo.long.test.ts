import { demoSuite } from './testing.ts';

demoSuite('container', 30_000);
demoSuite('vm', 120_000);
