/** Strings that tokenizers of the common model families read as control tokens: what data must not contain. */

/** By family; a model's own tokenizer_config.json or GGUF says exactly. */
export const controlStrings = {
  'llama-2': ['<s>', '</s>', '[INST]', '[/INST]', '<<SYS>>', '<</SYS>>'],
  'llama-3': [
    '<|begin_of_text|>',
    '<|end_of_text|>',
    '<|start_header_id|>',
    '<|end_header_id|>',
    '<|eot_id|>',
    '<|eom_id|>',
    '<|python_tag|>',
    '<|finetune_right_pad_id|>',
  ],
  'llama-4': [
    '<|header_start|>',
    '<|header_end|>',
    '<|eot|>',
    '<|eom|>',
    '<|step|>',
    '<|image|>',
    '<|image_start|>',
    '<|image_end|>',
  ],
  mistral: [
    '<s>',
    '</s>',
    '[INST]',
    '[/INST]',
    '[SYSTEM_PROMPT]',
    '[/SYSTEM_PROMPT]',
    '[TOOL_CALLS]',
    '[AVAILABLE_TOOLS]',
    '[/AVAILABLE_TOOLS]',
  ],
  wildguard: ['<|user|>', '<|assistant|>', '<|system|>'],
  gemma: ['<bos>', '<eos>', '<pad>', '<unk>', '<start_of_turn>', '<end_of_turn>', '<start_of_image>', '<end_of_image>'],
  chatml: [
    '<|im_start|>',
    '<|im_end|>',
    '<|endoftext|>',
    '<think>',
    '</think>',
    '<tool_call>',
    '</tool_call>',
    '<tool_response>',
    '</tool_response>',
  ],
  granite: ['<|start_of_role|>', '<|end_of_role|>', '<|end_of_text|>', '<|tool_call|>', '<guardian>', '</guardian>'],
  harmony: ['<|start|>', '<|end|>', '<|message|>', '<|channel|>', '<|return|>', '<|call|>', '<|constrain|>'],
  deepseek: [
    '<｜begin▁of▁sentence｜>',
    '<｜end▁of▁sentence｜>',
    '<｜User｜>',
    '<｜Assistant｜>',
    '<|User|>',
    '<|Assistant|>',
  ],
  phi: ['<|system|>', '<|user|>', '<|assistant|>', '<|end|>', '<|endoftext|>'],
} as const satisfies Record<string, readonly string[]>;

/** All of them: for a server whose model's own are not known. */
export const allControlStrings: readonly string[] = [...new Set(Object.values(controlStrings).flat())];
