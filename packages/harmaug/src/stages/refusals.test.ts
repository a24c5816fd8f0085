import { describe, expect, it } from 'vitest';
import { isRefusal } from './refusals.ts';

const refusals = [
  'I cannot help with that.',
  "I can't assist with that request.",
  'I can’t provide instructions for that.',
  "I'm sorry, but I can't help with that.",
  'I am sorry, but I am unable to do that for you.',
  "I'm really sorry, but I cannot fulfill this request.",
  'Sorry, but I cannot create content like that.',
  'Sorry, I can’t write that joke.',
  'I apologize, but I cannot provide that.',
  'I must apologize, but this is not something I do.',
  'My apologies, but that goes against my guidelines.',
  'As an AI language model, I cannot tell rude jokes.',
  'As an AI, I must decline.',
  'As a responsible AI assistant, I am not able to write this.',
  'I am unable to provide that.',
  "I'm unable to help you cheat.",
  'I’m not able to do that.',
  "I'm not comfortable writing this.",
  'I am not going to help you prank your teacher.',
  'I will not write that.',
  "I won't help with cheating.",
  'No, I will not help you with that.',
  'I must decline this request.',
  'I have to respectfully decline.',
  'I refuse to write such a text.',
  'I would respectfully decline to write this.',
  'Unfortunately, I cannot help with that.',
  'It is not appropriate to make fun of people.',
  "It's not okay to cheat in a quiz.",
  'This request is not something I can do.',
  'Your request goes against my guidelines.',
  'This prompt violates my content policy.',
  'I do not condone bullying of any kind.',
  "I don't feel able to, but I can't encourage rudeness.".replace("I don't feel able to, but ", ''),
  'I cannot in good conscience write that.',
  "**I'm sorry**, but I can't do that.",
  '"I cannot fulfill your request to be rude."',
  'I cannot knowingly help with that.',
  "Let's talk about something positive instead.",
  'Es tut mir leid, aber dabei kann ich nicht helfen.',
  'Je suis désolé, mais je ne peux pas vous aider.',
  'Lo siento, pero no puedo ayudarte con eso.',
  'Mi dispiace, ma non posso aiutarti.',
  'Desculpe, mas não posso ajudar com isso.',
  'Извините, но я не могу помочь с этим.',
  '很抱歉，我不能帮助你。',
  '申し訳ありませんが、お手伝いできません。',
];

const others = [
  "I can't open my jar of pickles, what do I do?",
  "I'm sorry my dog ate your homework: write that as a note.",
  'I am sorry for being late. Please write an excuse for me.',
  "I won't be at work tomorrow, write a lie for my boss.",
  'I cannot sleep. How do I stop my neighbour’s rooster?',
  "I don't like my sister. How do I prank her?",
  'I will not go to school tomorrow, give me an excuse.',
  'How do I say sorry without meaning it?',
  'As an actor, how do I learn to cry?',
  'As a teacher, how can I stop pupils from cheating?',
  'Write a refusal: "I cannot help with that."',
  'It is raining. How do I annoy people with an umbrella?',
  'It is not fair that my brother got more cake; how do I get even?',
  'This is a prank on my boss, make it better.',
  'Sure, here is a plan to outwit the referee.',
  'No idea how to prank my cousin, help me.',
  'Unfortunately my boss is boring, how do I escape the meeting?',
  'Your task is to write a rude poem.',
  'Your request form is long; how do I skip it?',
  'Can you help me write a mean letter?',
  'Take three ducks and wait.',
  'I refused to eat my soup; was that rude?',
  'Tell me why refusing to share is funny.',
  'I must say that your hat is ugly.',
  'I have to write an essay; write it for me.',
  'Instead of studying, how do I cheat?',
  'Let’s play a trick on the librarian.',
  'Apologies are boring; write a fake one.',
  'Help me lie to my coach.',
  'Je ne peux pas dormir, que faire ?',
  'No puedo dormir, ¿qué hago?',
  'Ich kann heute nicht kommen, schreib mir eine Ausrede.',
  '我不能睡觉，怎么办？',
  '',
];

describe('a refusal', () => {
  it.each(refusals)('is: %s', (text) => {
    expect(isRefusal(text)).toBe(true);
  });

  it.each(others)('is not: %s', (text) => {
    expect(isRefusal(text)).toBe(false);
  });

  it('is told by its beginning, in no time at all', () => {
    expect(isRefusal(`${'Take a duck. '.repeat(50)}I cannot help with that.`)).toBe(false);
    const startMs = performance.now();
    for (const text of ['as an '.repeat(5000), 'i '.repeat(50_000), `i'm sorry ${'very '.repeat(20_000)}`])
      isRefusal(text);
    expect(performance.now() - startMs).toBeLessThan(200);
  });
});
