/**
 * Imported before everything else. zod finds out by trying whether it may compile code; the control plane's
 * Content-Security-Policy forbids that, rightly, and the browser would report the attempt as an error.
 */
(globalThis as { __zod_globalConfig?: object }).__zod_globalConfig = { jitless: true };
