/** An LLM guard as a teacher: its family's questions put to a provider, p(unsafe) read from the verdict's tokens. */
import { ConfigError } from 'onnx-grad';
import { ProviderError } from '../errors.ts';
import type { NextTokens, Provider } from '../providers/provider.ts';
import { type FamilyName, families } from './families/index.ts';
import type { Family, Judged, Question } from './family.ts';
import type { Teacher } from './teacher.ts';
import { abstain, addUsage, NO_USAGE, type Scored, type Verdict, verdictOf } from './verdict.ts';

export interface LlmTeacherOptions {
  readonly name?: string;
  /** The user's own policy, where the family takes one. */
  readonly policy?: string | undefined;
  readonly concurrency?: number;
}

/**
 * @example createLlmTeacher('llama-guard-3-8b', provider)
 * @throws ConfigError where family, policy and provider do not fit together
 */
export function createLlmTeacher(familyName: FamilyName, provider: Provider, options: LlmTeacherOptions = {}): Teacher {
  const family = families[familyName];
  const { name = familyName, policy, concurrency = 32 } = options;
  assertFits(familyName, family, provider, policy);
  return {
    name,
    about: { teacher: familyName, ...provider.about, ...(policy === undefined ? {} : { policy: 'own' }) },
    concurrency,
    async judge(judged, signal) {
      if (family.judges === 'responses' && judged.response === undefined) return abstain('needs a response');
      const answers = await Promise.all(
        family.ask(judged, policy).map((question) => answer(provider, family, judged, question, signal)),
      );
      return worst(answers);
    },
    dispose: () => provider.dispose(),
  };
}

function assertFits(name: string, family: Family, provider: Provider, policy: string | undefined): void {
  if (family.policy === 'none' && policy !== undefined) throw new ConfigError(`${name} takes no policy of your own.`);
  if (family.policy === 'needed' && policy === undefined) {
    throw new ConfigError(`${name} needs its policy: give the list of categories of its card as "policyFile".`);
  }
  if (family.prompt === 'own text' && !provider.rendersHere) {
    throw new ConfigError(
      `${name} has a prompt of its own, which a chat would put into another. Use api: completions.`,
    );
  }
  if (provider.maxTopLogprobs === 0) {
    throw new ConfigError(`${name} is read from probabilities, and "${provider.name}" gives none. Use another server.`);
  }
}

async function answer(
  provider: Provider,
  family: Family,
  { id }: Judged,
  question: Question,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  const { input, lead, after, positions, match, candidates, sides, maxTokens } = question;
  // where a server fills in the template the model writes the lead itself, and white space is skipped
  const asked = provider.rendersHere
    ? { prefix: lead, point: { after: after ?? '', positions } }
    : { point: { after: (isChannel(after) ? undefined : after) ?? lead.trim(), positions } };
  const extra = provider.rendersHere ? 0 : 8; // tokens of the lead
  let found: NextTokens;
  try {
    const request = { id, input, match, candidates, maxTokens: maxTokens + extra, ...asked };
    found = await provider.nextTokens(signal ? { ...request, signal } : request);
  } catch (error) {
    if (error instanceof ProviderError && error.problem === 'too-long') return abstain('text too long');
    throw error;
  }
  const verdict = verdictOf(found, sides, null);
  if (verdict.kind === 'abstained') return verdict;
  const category = verdict.logOdds < 0 ? null : (question.about ?? family.category(found.text));
  return { ...verdict, category };
}

/** A server that fills in the template takes channels apart as well: its words are those of the last one. */
const isChannel = (after: string | undefined) => after?.includes('<|channel|>') === true;

/** The most unsafe answer; none where one is missing, for it might have been the worst. */
function worst(answers: readonly Verdict[]): Verdict {
  const usage = answers.map((verdict) => verdict.usage).reduce(addUsage, NO_USAGE);
  const silent = answers.find((verdict) => verdict.kind === 'abstained');
  if (silent) return { ...silent, usage };
  const scored = answers as readonly Scored[];
  const most = scored.reduce((a, b) => (b.logOdds > a.logOdds ? b : a));
  return { ...most, usage };
}
