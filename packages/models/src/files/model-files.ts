/** Names of the files that make up a Hugging Face model, in a folder and on the hub alike. */
import { FormatError } from 'onnx-grad';

export const CONFIG_FILE = 'config.json';
export const WEIGHTS_FILE = 'model.safetensors';
/** Where the weights are split: which file holds which tensor. */
export const INDEX_FILE = 'model.safetensors.index.json';

/** Files that make up a tokenizer; they travel with the weights unchanged. */
export const tokenizerFileNames = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'spm.model',
  'sentencepiece.bpe.model',
  'chat_template.jinja',
] as const;

const NO_PICKLES =
  'Pickled weights can run code when they are opened, so they are not read. ' +
  'Convert them with transformers: AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True).';

/** What may lie there instead of safetensors, and what to do about it. First match wins. */
const otherWeights: readonly { readonly file: string; readonly remedy: string }[] = [
  { file: 'pytorch_model.bin', remedy: NO_PICKLES },
  { file: 'pytorch_model.bin.index.json', remedy: NO_PICKLES },
  { file: 'tf_model.h5', remedy: 'Save the model again with transformers, as safetensors.' },
  { file: 'flax_model.msgpack', remedy: 'Save the model again with transformers, as safetensors.' },
];

/** The error for a place without weights that we read; it says what was found. @param where folder or hub id */
export function missingWeights(where: string, names: ReadonlySet<string>): FormatError {
  const other = otherWeights.find(({ file }) => names.has(file));
  const found = other === undefined ? `Found: ${[...names].sort().slice(0, 10).join(', ')}.` : `Found ${other.file}.`;
  const message = `${where} has no ${WEIGHTS_FILE}. ${found}${other === undefined ? '' : ` ${other.remedy}`}`;
  return new FormatError(message, { file: `${where}/${WEIGHTS_FILE}` });
}

/** The error for a place without config.json. */
export function missingConfig(where: string): FormatError {
  const message = `${where} has no ${CONFIG_FILE}. Expected a Hugging Face checkpoint folder.`;
  return new FormatError(message, { file: `${where}/${CONFIG_FILE}` });
}
