/** Why a row is not in the set. A closed list: every rejected row has one of these. */

export const reasons = {
  filtered: 'the provider’s own content filter stopped it',
  'prompt-too-long': 'the prompt did not fit into the model',
  empty: 'nothing was left of what the model wrote',
  refusal: 'the model refused',
  'cut-off': 'the limit of tokens came before the end of the sentence',
  'too-long': 'more characters than the recipe allows',
  'wrong-language': 'not in one of the recipe’s languages',
  'benchmark-overlap': 'repeats part of an evaluation set',
  'near-duplicate': 'nearly a text that is there already',
} as const;

export type Reason = keyof typeof reasons;
