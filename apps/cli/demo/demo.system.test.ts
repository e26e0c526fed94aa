import { demoSuite } from './testing.ts';

demoSuite('container', 30_000);
