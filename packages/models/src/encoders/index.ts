/** The encoders by `model_type`. Adding one is a line here and a file of its own. */
import type { Backbone } from '../backbone.ts';
import { bert } from './bert.ts';
import { debertaV2 } from './deberta-v2.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import { modernbert } from './modernbert.ts';
import { roberta, xlmRoberta } from './roberta.ts';

export const encoders: Readonly<Record<string, Backbone>> = {
  bert,
  'deberta-v2': debertaV2,
  distilbert,
  electra,
  modernbert,
  roberta,
  'xlm-roberta': xlmRoberta,
};
