import { describe, expect, test } from 'vitest';
import { readReply } from './replies.ts';

const reply = (choice: object, usage: object | undefined = { prompt_tokens: 3, completion_tokens: 2 }) =>
  JSON.stringify({ id: 'x', choices: [{ index: 0, finish_reason: 'stop', ...choice }], usage });
const chat = (content: string | null, more: object = {}) => ({ message: { role: 'assistant', content }, ...more });
const logprobs = (...tokens: string[]) => ({
  content: tokens.map((token) => ({ token, logprob: -1, top_logprobs: [] })),
});

describe('a reply', () => {
  test('of a chat and of a completion are read alike', () => {
    const read = {
      text: 'Hi',
      finishReason: 'stop',
      rawFinishReason: 'stop',
      usage: { promptTokens: 3, completionTokens: 2 },
      warnings: [],
      tokens: null,
    };
    expect(readReply(reply(chat('Hi')))).toEqual(read);
    expect(readReply(reply({ text: 'Hi', logprobs: null }))).toEqual(read);
  });

  test.each([
    ['stop', 'stop'],
    ['eos_token', 'stop'],
    ['stop_sequence', 'stop'],
    ['length', 'length'],
    ['content_filter', 'filter'],
    ['tool_calls', 'other'],
    [null, 'other'],
  ])('that ended by %s', (raw, expected) => {
    const { finishReason, rawFinishReason } = readReply(reply(chat('Hi', { finish_reason: raw })));
    expect([finishReason, rawFinishReason]).toEqual([expected, raw]);
  });

  test('without words or usage is a reply all the same', () => {
    expect(readReply(reply(chat(null))).text).toBe('');
    expect(readReply(JSON.stringify({ choices: [chat('Hi')] }))).toMatchObject({
      usage: { promptTokens: 0, completionTokens: 0 },
      warnings: ['The reply says nothing about its tokens.'],
    });
  });

  test('has its probabilities in either shape', () => {
    const content = [
      { token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2, bytes: null }] },
    ];
    const tokens = [{ text: 'a', logprob: -0.1, top: [{ text: 'b', logprob: -2 }] }];
    expect(readReply(reply(chat('a', { logprobs: { content, refusal: null } }))).tokens).toEqual(tokens);
    const lists = { tokens: ['a'], token_logprobs: [-0.1], top_logprobs: [{ b: -2 }], text_offset: [0] };
    expect(readReply(reply({ text: 'a', logprobs: lists })).tokens).toEqual(tokens);
    const short = { tokens: ['a'], token_logprobs: null, top_logprobs: null };
    expect(readReply(reply({ text: 'a', logprobs: short })).tokens).toEqual([{ text: 'a', logprob: null, top: [] }]);
  });

  test('of a reasoning model keeps the probabilities of the answer alone', () => {
    const message = { content: '1', reasoning_content: 'It is 0, no, 1' };
    const tokens = readReply(
      reply({ message, logprobs: logprobs('It', ' is', ' 0', '<end>', '1', '<return>') }),
    ).tokens;
    expect(tokens!.map(({ text }) => text)).toEqual(['1', '<return>']);
    const other = readReply(reply({ message: { ...message, content: '7' }, logprobs: logprobs('It', ' is') }));
    expect(other.tokens).toEqual([]);
  });

  test('with the same choice twice is that choice', () => {
    const choice = { index: 0, ...chat('Hi'), finish_reason: 'stop' };
    expect(readReply(JSON.stringify({ choices: [choice, choice] })).text).toBe('Hi');
    expect(readReply(JSON.stringify({ choices: [choice, { ...choice, index: 1, ...chat('Ho') }] })).text).toBe('Hi');
  });

  test.each([
    ['no JSON', '{"choices": [', /not JSON \(13 characters/],
    ['no choices', '{}', /"choices" is not what it should be/],
    ['text of a wrong kind', reply({ message: { content: 7 } }), /"choices\.0\.message\.content" is not what/],
    ['two different choices', JSON.stringify({ choices: [chat('a'), chat('b')] }), /2 different choices/],
  ])('with %s is refused, and may be asked for again', (_, body, message) => {
    expect(() => readReply(body)).toThrow(message);
    expect(() => readReply(body)).toThrow(expect.objectContaining({ problem: 'format', isRetryable: true }));
  });
});
