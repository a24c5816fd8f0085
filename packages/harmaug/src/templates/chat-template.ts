/** The chat template that comes with a model, as its files hold it. */
import { FormatError } from 'onnx-grad';

export interface ChatTemplate {
  /** Jinja. */
  readonly source: string;
  readonly bosToken: string;
  readonly eosToken: string;
  /** Strings that the model's tokenizer reads as control tokens; empty where they are not known. */
  readonly controls: readonly string[];
}

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_TEMPLATE_CHARS = 200_000;

/**
 * Reads tokenizer_config.json.
 * @param jinja chat_template.jinja beside it, which has the last word
 * @param name  which of several templates; default "default"
 * @throws FormatError where there is none
 */
export function readChatTemplate(
  config: JsonObject,
  { jinja, name = 'default', file }: { jinja?: string | undefined; name?: string; file: string },
): ChatTemplate {
  const source = jinja ?? pickTemplate(config.chat_template, name, file);
  if (source.length > MAX_TEMPLATE_CHARS) {
    throw new FormatError(
      `${file}: the chat template has ${source.length} characters, expected at most ${MAX_TEMPLATE_CHARS}.`,
      {
        file,
        field: 'chat_template',
      },
    );
  }
  return {
    source,
    bosToken: tokenText(config.bos_token),
    eosToken: tokenText(config.eos_token),
    controls: readControls(config),
  };
}

function pickTemplate(value: unknown, name: string, file: string): string {
  if (typeof value === 'string') return value;
  const named = Array.isArray(value) ? (value as { name?: unknown; template?: unknown }[]) : [];
  const found = named.find((item) => item?.name === name)?.template;
  if (typeof found === 'string') return found;
  const names = named.map((item) => String(item?.name)).join(', ');
  const problem = named.length === 0 ? 'has no chat template' : `has no chat template "${name}", only ${names}`;
  throw new FormatError(`${file} ${problem}. Give one as "template", a Jinja file.`, { file, field: 'chat_template' });
}

/** A token is a string, or an object with "content". */
function tokenText(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value;
  return typeof text === 'string' ? text : '';
}

function readControls(config: JsonObject): string[] {
  const added = Object.values((config.added_tokens_decoder ?? {}) as JsonObject);
  return added
    .filter((token) => (token as { special?: unknown })?.special === true)
    .map(tokenText)
    .filter(Boolean);
}
