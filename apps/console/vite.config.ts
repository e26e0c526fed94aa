import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const controlPlane = process.env['SUPERFLUIDITY_SERVER'] ?? 'http://localhost:8080';

export default defineConfig({
  root: here('.'),
  plugins: [react()],
  server: { port: 5173, proxy: { '/api': controlPlane } },
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'es2024',
    // React, PatternFly, TanStack, zod and the page: 190 kB compressed. Topology, plot and steps are chunks of their
    // own, and ELK is a file that only its worker loads.
    chunkSizeWarningLimit: 640,
  },
});
