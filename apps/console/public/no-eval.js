// zod finds out by trying whether it may compile code. The control plane's Content-Security-Policy forbids that, rightly, and
// the browser would report the attempt as an error. Said here, before any module is there: modules of other files come first.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
