import { expect, it } from 'vitest';
import { readSettings } from './settings.ts';

it('takes what it knows', () => {
  const settings = { threshold: 0.3, temperature: 1.5, normalise: true, sentences: false, views: false };
  expect(readSettings(settings)).toEqual(settings);
  expect(readSettings({})).toEqual({});
});

it.each([
  [{ treshold: 0.5 }, /guard\.json: unknown "treshold"\. Known: threshold, temperature, normalise, sentences, views/],
  [{ threshold: 50 }, /"threshold": expected a number from 0 to 1, got 50/],
  [{ threshold: '0.5' }, /"threshold": expected a number from 0 to 1, got "0.5"/],
  [{ temperature: 0 }, /"temperature": expected a number from 0.001/],
  [{ normalise: 'yes' }, /"normalise": expected true or false, got "yes"/],
  [{ views: null }, /"views": expected true or false, got null/],
])('refuses %o', (json, message) => {
  expect(() => readSettings(json)).toThrow(message);
});
