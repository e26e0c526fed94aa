/** The path of a route with what it is about. */
export function fillPath(path: string, params: Record<string, unknown>): string {
  return path.replace(/:([a-z]+)/g, (_all, key: string) => encodeURIComponent(String(params[key])));
}
