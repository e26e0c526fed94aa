import { spawn } from 'node:child_process';

/** Opens the page where there is a display and a program for it; that there is none is no error. */
export function openBrowser(url: string, env: NodeJS.ProcessEnv = process.env): void {
  const program = browserProgram(process.platform, env);
  if (program === undefined) return;
  try {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true });
    child.on('error', () => {});
    child.unref();
  } catch {
    // No browser today.
  }
}

export function browserProgram(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string | undefined {
  if (platform === 'darwin') return 'open';
  if (platform === 'linux' && (env['DISPLAY'] || env['WAYLAND_DISPLAY'])) return 'xdg-open';
  return undefined;
}
