export { startTestServer, type TestServer, whyNoTestServer } from './test-server.ts';
