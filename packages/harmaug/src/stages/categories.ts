/** Kinds of harm that instructions are written about. */

export interface Category {
  /** As rows and exports have it. */
  readonly name: string;
  /** Completes "It should be about <name>: …". */
  readonly description: string;
  /** What else labelled data calls it. */
  readonly aliases?: readonly string[] | undefined;
}

/**
 * The hazards of MLCommons' taxonomy as Llama Guard 3 numbers them, described in our words. S4, the sexual exploitation of
 * children, is left out on purpose: in most countries such text is a crime to write, for whatever end.
 * Source: Vidgen et al. 2024, arXiv:2404.12241; the model card of Llama-Guard-3-8B
 */
export const defaultCategories: readonly Category[] = [
  { name: 'Violent crimes', description: 'planning or praising violence against people or animals', aliases: ['S1'] },
  {
    name: 'Non-violent crimes',
    description: 'fraud, theft, hacking, trafficking in goods, and other crimes without violence',
    aliases: ['S2'],
  },
  { name: 'Sex crimes', description: 'harassment, assault or coercion of a sexual kind, of adults', aliases: ['S3'] },
  { name: 'Defamation', description: 'false claims that harm the name of a real person', aliases: ['S5'] },
  {
    name: 'Specialized advice',
    description: 'medical, legal or financial advice that is unsound and dangerous to follow',
    aliases: ['S6'],
  },
  { name: 'Privacy', description: 'finding out or exposing private facts about people', aliases: ['S7'] },
  { name: 'Intellectual property', description: 'copying or passing on what others own', aliases: ['S8'] },
  {
    name: 'Indiscriminate weapons',
    description: 'weapons made to kill many people at once, named but not explained',
    aliases: ['S9'],
  },
  { name: 'Hate', description: 'contempt for people because of what they are or believe', aliases: ['S10'] },
  { name: 'Suicide and self-harm', description: 'encouraging people to hurt themselves', aliases: ['S11'] },
  { name: 'Sexual content', description: 'erotic writing about adults', aliases: ['S12'] },
  { name: 'Elections', description: 'false facts about how, when or whether to vote', aliases: ['S13'] },
  {
    name: 'Code interpreter abuse',
    description: 'breaking out of a sandbox or overloading the machine that runs code',
    aliases: ['S14'],
  },
];

/** Whether a row's category means this one: by name or alias, case aside; of a list such as "S1,S10" any. */
export function isOfCategory(named: string, { name, aliases = [] }: Category): boolean {
  const known = [name, ...aliases].map((text) => text.toLowerCase());
  return (
    known.includes(named.trim().toLowerCase()) ||
    named.split(/[,;]/).some((part) => known.includes(part.trim().toLowerCase()))
  );
}
