/**
 * Granite Guardian. To 3.2 its Yes and No are added up over all it writes, as IBM's cookbook does; 3.3 answers within
 * <score>. Source: 2.8, cookbooks in ibm-granite/granite-guardian (Apache-2.0)
 */
import { type Family, messagesOf, type Question } from '../family.ts';

interface Version {
  readonly summary: string;
  readonly variables: (policy: string | undefined) => Readonly<Record<string, unknown>>;
  readonly after?: string;
  readonly positions: Question['positions'];
  readonly maxTokens: number;
}

function granite({ summary, variables, after, positions, maxTokens }: Version): Family {
  return {
    summary,
    license: 'Apache-2.0',
    prompt: 'model template',
    policy: 'replaces',
    judges: 'prompts and responses',
    ask: (judged, policy) => [
      {
        about: null,
        input: { kind: 'chat', messages: messagesOf(judged), render: { variables: variables(policy?.trim()) } },
        lead: '',
        ...(after === undefined ? {} : { after }),
        positions,
        match: 'folded',
        candidates: ['yes', 'no'],
        sides: { unsafe: [0], safe: [1] },
        maxTokens,
      },
    ],
    category: () => null,
  };
}

export const granites = {
  'granite-guardian': granite({
    summary: 'IBM Granite Guardian 3.0 to 3.2: the risk "harm"',
    variables: (policy) => ({
      guardian_config: policy === undefined ? { risk_name: 'harm' } : { risk_name: 'custom', risk_definition: policy },
    }),
    positions: 'every',
    maxTokens: 20,
  }),
  'granite-guardian-3.3': granite({
    summary: 'IBM Granite Guardian 3.3: the criterion "harm", without thinking',
    variables: (policy) => ({
      guardian_config: policy === undefined ? { criteria_id: 'harm' } : { custom_criteria: policy },
      think: false,
    }),
    after: '<score>',
    positions: 'first',
    maxTokens: 48,
  }),
} satisfies Record<string, Family>;
