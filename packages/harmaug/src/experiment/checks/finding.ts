/** One thing about a recipe that is wrong, or worth knowing. */
export interface Finding {
  /** Section and key: "generate.prompts". */
  readonly where: string;
  /** What is the matter. */
  readonly problem: string;
  /** What to do; empty where the problem says it. */
  readonly remedy: string;
  /** Whether a run would fail; else it is about this machine, as it is now. */
  readonly isWrong: boolean;
}

export const wrong = (where: string, problem: string, remedy = ''): Finding => ({
  ...{ where, problem, remedy },
  isWrong: true,
});

/** "section: the rest" as messages of errors have it. */
export function findingsOf(message: string, file: string, where: string, remedy = ''): Finding[] {
  return message.split('\n').map((line) => {
    const text = line.startsWith(`${file}: `) ? line.slice(file.length + 2) : line;
    const [, place, rest] = /^([\w.[\]-]+): (.*)$/s.exec(text) ?? [];
    return place === undefined ? wrong(where, text, remedy) : wrong(place, rest!, remedy);
  });
}
