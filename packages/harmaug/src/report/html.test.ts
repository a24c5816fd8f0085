/** Names from outside are texts; texts of rows are hidden; paths are told apart. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { html } from './html.ts';
import { conceal, masked } from './mask.ts';
import { shortNames } from './names.ts';

describe('html', () => {
  test('escapes every value but html itself', () => {
    const name = '</td><script>alert("1")</script>\'&';
    const inner = html`<b>${name}</b>`;
    expect(html`<td title="${name}">${[inner, null, 7, undefined, false, 'a<b']}</td>`.text).toBe(
      '<td title="&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;"><b>&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;</b>7a&lt;b</td>',
    );
  });

  test('replaces control characters, halves of pairs and turns of direction', () => {
    expect(html`${'a\0b\ud800c\u202ed\u2066e\tf'}`.text).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\tf');
  });
});

describe('conceal', () => {
  const uncovered = (code: string) =>
    new TextDecoder().decode(
      Uint8Array.from(atob(code), (character, at) => character.charCodeAt(0) ^ ((167 + 31 * at) & 255)),
    );

  test('comes back, and shows neither the text nor its base64', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 8 }), (text) => {
        expect(uncovered(conceal(text))).toBe(text);
        expect(conceal(text)).not.toContain(text);
        expect(conceal(text)).not.toBe(Buffer.from(text).toString('base64'));
      }),
    );
  });

  test('equal words at other places look different', () => {
    const code = conceal('you silly hat, you silly hat, you silly hat');
    expect(new Set(code.match(/.{8}/g)).size).toBe(code.match(/.{8}/g)!.length);
  });

  test('a text of any length fits: what is beyond the limit is cut between characters', () => {
    const { text } = masked('😀'.repeat(100_000), 'prompt');
    expect(text.length).toBeLessThan(30_000);
    const [, code] = /data-masked="([^"]*)"/.exec(text)!;
    expect(uncovered(code!)).toBe(`${'😀'.repeat(4000)} […]`);
  });
});

test('names are as short as they can be told apart', () => {
  const names = shortNames([
    '/a/runs/one/guard',
    '/a/runs/two/guard',
    '/a/other',
    'two/guard',
    'owner/model',
    'x.json',
  ]);
  expect(names.get('/a/runs/one/guard')).toBe('one/guard');
  expect(names.get('/a/runs/two/guard')).toBe('two/guard');
  expect(names.get('two/guard')).toBe('two/guard'); // the same place, named from nearer
  expect([names.get('/a/other'), names.get('owner/model'), names.get('x.json')]).toEqual(['other', 'model', 'x.json']);
});
