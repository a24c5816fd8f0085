/**
 * The commands that the guides show: lines of their code blocks that begin with `harmaug`, `npm run`, `node` or
 * `npx vitest`, also those in sentences between backquotes. Two spaces begin a remark, a backslash goes on in the next line,
 * and a `for` loop stands for its commands.
 */
export interface DocumentedCommand {
  readonly line: number;
  readonly words: readonly string[];
  /** Of a block, to be run as it is; in a sentence a command may be named without all that it needs. */
  readonly isWhole: boolean;
}

const BEGINNINGS = /^(harmaug [a-z]|npm run |npm (test|ci)\b|npx vitest |npx harmaug |node --conditions)/;

/** @param markdown a guide's text */
export function documentedCommands(markdown: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  const lines = markdown.split('\n');
  let isCode = false;
  let begun: { line: number; text: string } | null = null;
  lines.forEach((text, index) => {
    if (text.startsWith('```')) isCode = !isCode;
    else if (isCode) {
      const { line, text: before }: { line: number; text: string } = begun ?? { line: index + 1, text: '' };
      const whole = before + text.trim();
      begun = whole.endsWith('\\') ? { line, text: whole.slice(0, -1) } : null;
      if (!begun)
        for (const command of commandsOf(whole))
          found.push({ line, words: wordsOf(command), isWhole: !command.includes('…') });
    } else {
      for (const [, command] of text.matchAll(/`([^`]+)`/g))
        if (BEGINNINGS.test(command!))
          for (const one of commandsOf(command!)) found.push({ line: index + 1, words: wordsOf(one), isWhole: false });
    }
  });
  return found;
}

/** The commands of one line of a shell. */
function commandsOf(line: string): string[] {
  const loop = /^for (\w+) in (.+?); do (.+?); done/.exec(line);
  if (loop) {
    const [, name, values, body] = loop;
    return values!.split(' ').flatMap((value) => commandsOf(body!.replaceAll(`$${name}`, value)));
  }
  const [command] = line.replace(/\s#.*$/, '').split(/ {2,}/);
  return command!
    .split(/ && | \| /)
    .map((one) => one.replace(/ [<>] \S+/g, '').trim())
    .filter((one) => BEGINNINGS.test(one));
}

/** As a shell takes a line apart: quotes hold words together, and so do the brackets of `<a thing>`. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(<[^>]*>\S*|\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare!,
  );
}
