import { describe, expect, it } from 'vitest';
import { readPlace, sourcesOf } from './place.ts';

describe('where a guard comes from', () => {
  it.each([
    ['', { kind: 'own' }, []],
    ['?guard=', { kind: 'own' }, []],
    ['?guard=https://a.example/x/', { kind: 'address', url: 'https://a.example/x/' }, ['https://a.example']],
    ['?guard=http://localhost:8000/g', { kind: 'address', url: 'http://localhost:8000/g' }, ['http://localhost:8000']],
  ])('%s', (search, place, sources) => {
    expect(readPlace(search)).toEqual(place);
    expect(sourcesOf(readPlace(search))).toEqual(["'self'", ...sources]);
  });

  it('a hub id, whose files lie on the hub’s hosts', () => {
    const place = readPlace('?guard=owner/name@v1');
    expect(place).toEqual({ kind: 'hub', id: 'owner/name@v1' });
    expect(
      sourcesOf(place)
        .slice(1)
        .every((source) => source.startsWith('https://')),
    ).toBe(true);
  });

  it.each(['?guard=javascript:alert(1)', '?guard=data:text/plain,x', '?guard=nothing', '?guard=../other'])(
    'refuses %s',
    (search) => {
      expect(() => readPlace(search)).toThrow(/Expected the address of a guard/);
    },
  );
});
