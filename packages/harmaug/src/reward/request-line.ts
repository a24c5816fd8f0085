/** One line of a loop that asks for rewards: JSON with a prompt and what was answered to it. */
import { isObject } from '@harmaug/models';
import { FormatError } from 'onnx-grad';
import { MAX_TEXT_CHARACTERS } from '../data/row.ts';
import type { RewardRequest } from './reward.ts';

/** Of a line, in UTF-16 characters: a longer one is not even parsed. */
export const MAX_LINE_CHARACTERS = 8 * MAX_TEXT_CHARACTERS;
const MAX_RESPONSES = 1024;
const MAX_ID_CHARACTERS = 1000;

/**
 * `{"prompt": …, "response": …}`, or `"responses": […]` for several draws; `id` is optional.
 * @param number of the line, counted from 1; the id where the line has none
 * @throws FormatError that names the line and the field, never its text
 */
export function readRequestLine(line: string, number: number): RewardRequest {
  const fail = (problem: string): never => {
    throw new FormatError(`line ${number}: ${problem}`, {});
  };
  if (line.length > MAX_LINE_CHARACTERS) fail(`expected at most ${MAX_LINE_CHARACTERS} characters.`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return fail('expected JSON such as {"prompt": "…", "response": "…"}.');
  }
  if (!isObject(value)) return fail('expected an object such as {"prompt": "…", "response": "…"}.');
  const { id = `line ${number}`, prompt, response, responses } = value;
  if (typeof id !== 'string' || id.length > MAX_ID_CHARACTERS) {
    return fail(`"id": expected a text of at most ${MAX_ID_CHARACTERS} characters.`);
  }
  if (!isText(prompt) || prompt.trim() === '') {
    return fail(`"prompt": expected a text of at most ${MAX_TEXT_CHARACTERS} characters that is not empty.`);
  }
  if (response !== undefined && responses !== undefined) return fail('give "response" or "responses", not both.');
  const all = responses ?? (response === undefined || response === null ? [] : [response]);
  if (!Array.isArray(all) || all.length > MAX_RESPONSES || !all.every(isText)) {
    const name = responses === undefined ? '"response": expected a text' : '"responses": expected a list of texts';
    return fail(`${name}, each of at most ${MAX_TEXT_CHARACTERS} characters, at most ${MAX_RESPONSES}.`);
  }
  return { id, prompt, responses: all };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_CHARACTERS;
}
