/** The config.json of microsoft/deberta-v3-xsmall, -base and -large, for models with weights from a seed. */

const family = {
  model_type: 'deberta-v2',
  vocab_size: 128_100,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  max_position_embeddings: 512,
  type_vocab_size: 0,
  layer_norm_eps: 1e-7,
  relative_attention: true,
  max_relative_positions: -1,
  position_buckets: 256,
  norm_rel_ebd: 'layer_norm',
  share_att_key: true,
  pos_att_type: ['p2c', 'c2p'],
  position_biased_input: false,
  pooler_dropout: 0,
  pooler_hidden_act: 'gelu',
  pad_token_id: 0,
} as const;

const sized = (hidden: number, layers: number, heads: number) => ({
  ...family,
  hidden_size: hidden,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: 4 * hidden,
  pooler_hidden_size: hidden,
});

export const debertaV3 = { xsmall: sized(384, 12, 6), base: sized(768, 12, 12), large: sized(1024, 24, 16) } as const;
