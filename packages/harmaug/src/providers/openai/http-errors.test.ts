import { describe, expect, test } from 'vitest';
import { hide, httpError } from './http-errors.ts';

const context = {
  endpoint: 'http://host/v1/chat/completions',
  model: 'm',
  hidden: [],
  nowMs: Date.parse('2026-01-01T00:00:00Z'),
};
const error = (status: number, body: unknown, headers: Record<string, string> = {}, more: object = {}) =>
  httpError(
    { status, body: typeof body === 'string' ? body : JSON.stringify(body), header: (name) => headers[name] },
    { ...context, ...more },
  );

describe('an error reply', () => {
  test.each([
    ['OpenAI and vLLM', { error: { message: 'bad thing', type: 't', param: null, code: 400 } }],
    ['SGLang', { object: 'error', message: 'bad thing', code: 400 }],
    ['llama.cpp', { error: { code: 400, message: 'bad thing', type: 'invalid_request_error' } }],
    ['TGI', { error: 'bad thing', error_type: 'validation' }],
    ['FastAPI', { detail: 'bad thing' }],
  ])('of %s tells what the server said', (_, body) => {
    expect(error(400, body).message).toBe(
      'http://host/v1/chat/completions answered 400: bad thing. Check the dialect, or name another one.',
    );
  });

  test('of pydantic tells the places, and not what was sent', () => {
    const finding = {
      type: 'extra_forbidden',
      loc: ['body', 'seed'],
      msg: 'Extra inputs are not permitted',
      input: 'secret',
    };
    for (const body of [{ detail: [finding] }, { object: 'error', message: { detail: [finding] } }]) {
      expect(error(422, body).message).toMatch(/answered 422: body\.seed: Extra inputs are not permitted\./);
      expect(error(422, body).message).not.toContain('secret');
    }
  });

  test('without words is told by its status', () => {
    expect(error(502, '<html>Bad Gateway</html>').message).toBe('http://host/v1/chat/completions answered 502.');
  });

  test.each([
    [429, 'overload', true],
    [503, 'overload', true],
    [500, 'status', true],
    [401, 'status', false],
    [404, 'status', false],
    [400, 'status', false],
  ] as const)('%i is %s, retryable: %s', (status, problem, isRetryable) => {
    expect(error(status, {})).toMatchObject({ status, problem, isRetryable });
  });

  test.each([
    "This model's maximum context length is 4096 tokens.",
    'the request exceeds the available context size',
    '`inputs` tokens + `max_new_tokens` must be <= 4096',
  ])('"%s" is a text that is too long', (message) => {
    expect(error(400, { error: { message } })).toMatchObject({ problem: 'too-long', isRetryable: false });
  });

  test.each([
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT' }, 5000],
    [{ 'retry-after': 'Thu, 01 Jan 2025 00:00:05 GMT' }, 0],
    [{ 'retry-after-ms': '150', 'retry-after': '9' }, 150],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('Retry-After of %o', (headers, expected) => {
    expect(error(429, {}, headers).retryAfterMs).toBe(expected);
  });

  test('says what to do', () => {
    expect(error(401, {}).message).toMatch(/name its environment variable as "apiKeyEnv"/);
    expect(error(401, {}, {}, { keyName: 'ACME_KEY' }).message).toMatch(/Check the key in ACME_KEY/);
    expect(error(404, {}).message).toMatch(/usually ends in \/v1, and the model "m"/);
  });
});

describe('hiding', () => {
  test('takes out every stretch that is in a hidden text, and short texts whole', () => {
    const hidden = ['how do I kill a Python process', 'sk-12345'];
    expect(hide("Value 'do I kill a Python' is bad, key sk-12345.", hidden)).toBe("Value '…' is bad, key ….");
  });

  test('leaves other words alone', () => {
    expect(hide('The model does not exist.', ['a model of the world'])).toBe('The model does not exist.');
  });
});
