/** Text of a descriptor where a shell or Ansible reads it: whatever it says, it is never a command or a template. */

/** A word of a POSIX shell (IEEE 1003.1, clause 2.2.2): nothing in it is looked at. It must not hold NUL. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Neither an argument nor a variable of a process can hold it. */
export function isArgument(text: string): boolean {
  return !text.includes('\0');
}

/**
 * A YAML value that Ansible does not look into for Jinja. Escaped beyond what YAML 1.2 asks: PyYAML takes nothing that
 * cannot be printed, and half of a surrogate pair ends it.
 */
export function unsafeYaml(text: string): string {
  // Behind `!unsafe`, ansible-core 2.19 takes it for nothing.
  if (text === '') return '""';
  let escaped = '';
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0)!;
    if (character === '"' || character === '\\') escaped += `\\${character}`;
    else if (code >= 0x20 && code < 0x7f) escaped += character;
    else if (code <= 0xffff) escaped += `\\u${code.toString(16).padStart(4, '0')}`;
    else escaped += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `!unsafe "${escaped}"`;
}
