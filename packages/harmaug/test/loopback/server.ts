/** A server on a loopback port that behaves as one of `behaviours`, with the toy model behind it, and faults on request. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Behaviour } from './behaviours.ts';
import { chatml, type Distribution, write } from './toy-model.ts';

type Json = Record<string, unknown>;

/** Does something else with a request; returns whether it did. */
export type Fault = (call: {
  number: number;
  body: Json;
  response: ServerResponse;
  request: IncomingMessage;
}) => boolean | Promise<boolean>;

export interface Loopback {
  /** To be used as endpoint. */
  readonly url: string;
  /** Bodies of all requests so far. */
  readonly requests: readonly Json[];
  /** Replies that were sent whole. */
  readonly answered: () => number;
  close(): Promise<void>;
}

export async function startLoopback(behaviour: Behaviour, fault: Fault = () => false): Promise<Loopback> {
  const requests: Json[] = [];
  let answered = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
    requests.push(body);
    if (await fault({ number: requests.length, body, response, request })) return;
    const { status, body: reply } = answer(behaviour, request, body);
    send(response, status, JSON.stringify(reply));
    if (status === 200) answered += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${behaviour.base}`,
    requests,
    answered: () => answered,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

function answer(behaviour: Behaviour, request: IncomingMessage, body: Json): { status: number; body: unknown } {
  const api = request.url === `${behaviour.base}/chat/completions` ? 'chat' : 'completions';
  const isKnown = api === 'chat' || request.url === `${behaviour.base}/completions`;
  if (!isKnown || !(behaviour.apis as readonly string[]).includes(api)) return behaviour.error(404, 'Not Found');
  if (behaviour.key && request.headers.authorization !== `Bearer ${behaviour.key}`) {
    return behaviour.error(401, `Incorrect API key provided: ${request.headers.authorization}`);
  }
  const unknown = Object.keys(body).find((field) => behaviour.onlyFields && !behaviour.onlyFields.has(field));
  if (unknown) return behaviour.error(400, 'Extra inputs are not permitted', unknown);
  if (body.model !== 'toy') return behaviour.error(404, `The model \`${String(body.model)}\` does not exist.`);
  const wanted = behaviour.logprobs[api] === null ? null : behaviour.wanted(body);
  if (wanted !== null && wanted > behaviour.maxTopLogprobs) {
    return behaviour.error(
      400,
      `Requested ${wanted} logprobs, the most is ${behaviour.maxTopLogprobs}`,
      'top_logprobs',
    );
  }
  const asked = api === 'chat' ? readChat(behaviour, body) : { prompt: String(body.prompt), prefix: '' };
  if ('status' in asked) return asked;
  if (asked.prompt.length > 20_000) {
    return behaviour.error(
      400,
      `This model's maximum context length is 4096 tokens. You sent: ${asked.prompt.slice(0, 200)}`,
    );
  }
  const maxTokens = Number(body[api === 'chat' ? behaviour.maxTokensField : 'max_tokens'] ?? 16);
  const written = write(asked.prompt, maxTokens, (body.stop as string[] | undefined) ?? []);
  const shown = {
    finish_reason: behaviour.finish[written.finish],
    index: 0,
    logprobs: shape(behaviour.logprobs[api], written.tokens, wanted),
  };
  const text = behaviour.repeatsPrefix ? asked.prefix + written.text : written.text;
  return {
    status: 200,
    body: {
      id: 'cmpl-1',
      object: api === 'chat' ? 'chat.completion' : 'text_completion',
      created: 1,
      model: 'toy',
      choices: [{ ...shown, ...(api === 'chat' ? { message: { role: 'assistant', content: text } } : { text }) }],
      usage: {
        prompt_tokens: written.promptTokens,
        completion_tokens: written.tokens.length,
        total_tokens: written.promptTokens + written.tokens.length,
      },
    },
  };
}

/** The whole prompt that a server makes of a conversation. */
function readChat(
  behaviour: Behaviour,
  body: Json,
): { prompt: string; prefix: string } | { status: number; body: unknown } {
  const messages = (body.messages as Json[]).map((message) => ({
    ...message,
    role: String(message.role),
    content: contentOf(message),
  }));
  for (const message of body.messages as Json[]) {
    const unknown = Object.keys(message).find(
      (field) => behaviour.onlyMessageFields && !behaviour.onlyMessageFields.has(field),
    );
    if (unknown) return behaviour.error(400, 'Extra inputs are not permitted', unknown);
  }
  if (body.continue_final_message === true && body.add_generation_prompt !== false && behaviour.onlyFields === null) {
    return behaviour.error(400, 'Cannot set both add_generation_prompt and continue_final_message to true.');
  }
  const last = messages.at(-1)!;
  if (last.role === 'assistant' && behaviour.goesOn(body, last as Json)) {
    return { prompt: chatml(messages.slice(0, -1), true) + last.content, prefix: last.content };
  }
  return { prompt: chatml(messages, true), prefix: '' };
}

function contentOf({ content }: Json): string {
  return typeof content === 'string' ? content : (content as { text: string }[]).map(({ text }) => text).join('');
}

function shape(kind: 'content' | 'lists' | null, tokens: readonly Distribution[], wanted: number | null): unknown {
  if (kind === null || wanted === null) return null;
  const alternatives = tokens.map(({ top }) =>
    top.slice(0, wanted).map(([token, p]) => ({ token, logprob: Math.log(p), bytes: null })),
  );
  const own = tokens.map(({ token, top }) => Math.log(top.find(([text]) => text === token)?.[1] ?? 1));
  if (kind === 'content') {
    const content = tokens.map(({ token }, index) => ({
      token,
      logprob: own[index],
      bytes: null,
      top_logprobs: alternatives[index],
    }));
    return { content };
  }
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: own,
    top_logprobs: alternatives.map((list) => Object.fromEntries(list.map(({ token, logprob }) => [token, logprob]))),
    text_offset: tokens.map(() => 0),
  };
}
