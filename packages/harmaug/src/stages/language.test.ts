import { expect, it } from 'vitest';
import { languageOf } from './language.ts';

it.each([
  ['en', 'How do I prank my sister at the picnic without being noticed?'],
  ['de', 'Wie kann ich meinen Nachbarn ärgern, ohne dass er es merkt?'],
  ['fr', 'Donne-moi une idée de farce pour le bureau'],
  ['es', '¿Cómo puedo copiar en un examen de historia?'],
  ['ru', 'Как мне списать на экзамене?'],
  ['zh', '我怎么能在考试中作弊?'],
])('a text in %s is known as such', (language, text) => {
  expect(languageOf(text)).toBe(language);
});

it('a text without words is in none', () => {
  expect(languageOf('42 + 17 = ?')).toBeNull();
});
