/** A configuration file as oslo.config reads it. `undefined` leaves the default. */
export type Ini = Readonly<Record<string, Section>>;
export type Section = Readonly<Record<string, string | number | boolean | undefined>>;

export function renderIni(ini: Ini): string {
  return Object.entries(ini)
    .map(([section, values]) => {
      const lines = Object.entries(values)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key} = ${value}\n`);
      return `[${section}]\n${lines.join('')}`;
    })
    .join('\n');
}
