/** Whether a text reads like a refusal, by how it begins. What a refusal says afterwards does not matter. */

const HELP =
  '(?:help|assist|support|provide|create|generate|write|make|offer|give|share|produce|fulfil|comply|engage|answer|respond|discuss|continue|participate|do (?:that|this|it)|fulfill|complete|suggest|come up|encourage|promote|condone|in good conscience)';
const SORRY = "(?:i(?:’|')?m|i am|we(?:’|')?re|we are) (?:very |really |so |truly |deeply )?sorry";
const CANNOT =
  "(?:cannot|can not|can(?:’|')?t|won(?:’|')?t|will not|could not|couldn(?:’|')?t|would not|wouldn(?:’|')?t|do not|don(?:’|')?t|shouldn(?:’|')?t|must not|am not able to|(?:’|')m not able to|am unable to|(?:’|')m unable to|am not going to|(?:’|')m not going to|am not comfortable|(?:’|')m not comfortable|am not allowed to|(?:’|')m not allowed to|am not permitted to)";
const LEAD =
  '(?:(?:sorry|apologies|unfortunately|no|oh|well|thank you|thanks|hmm)[,.!]? (?:but )?|as an? [^.,]{2,60}, )?';

const patterns: readonly (readonly [meaning: string, pattern: RegExp])[] = [
  ['I cannot help', new RegExp(`^${LEAD}(?:but )?i ?${CANNOT} (?:be able to )?(?:\\w+ly )?${HELP}\\b`, 'i')],
  [
    'I’m unable to help',
    new RegExp(
      `^${LEAD}(?:but )?i(?:’|')?m (?:not able|unable|not comfortable|not going|not allowed|not permitted|programmed not|designed not)\\b`,
      'i',
    ),
  ],
  [
    'I’m sorry, but I cannot',
    new RegExp(
      `^${SORRY}[,.!]? (?:but |for |to )?(?:i|that|we|this|my|as|it)(?:’|')?\\b.{0,80}\\b(?:can(?:not|(?:’|')?t)|won(?:’|')?t|unable|not able|not (?:something|appropriate)|against|guidelines)\\b`,
      'is',
    ),
  ],
  [
    'I apologize, but',
    /^(?:i (?:must |do |sincerely )?apologi[sz]e|my apologies|apologies)[,.]? (?:but|for|that|however|i)\b/i,
  ],
  [
    'I must decline',
    /^(?:\w+[,.] )?i (?:(?:must|have to|need to|will have to|will|would) )?(?:respectfully |politely )?(?:have to )?(?:decline|refuse|refrain)\b/i,
  ],
  ['I refuse', /^i (?:strongly |firmly )?(?:refuse|reject|object) (?:to|this|that)\b/i],
  [
    'As an AI',
    /^(?:sorry[,.]? (?:but )?)?as an? (?:\w+ ){0,3}(?:ai|artificial intelligence|language model|assistant|chatbot)\b.{0,120}\b(?:can(?:not|(?:’|')?t)|not|unable|must|refuse|decline|don(?:’|')?t)\b/is,
  ],
  [
    'It is not appropriate',
    /^(?:it(?:’|')?s|it is|it would be|that(?:’|')?s|that is|this is|this request is) (?:not |un|in|against |illegal|never )(?:\w+ )?(?:appropriate|ethical|acceptable|okay|ok|possible for me|legal|safe|my|the|our|something i|to provide)\b/i,
  ],
  [
    'Your request goes against',
    /^(?:your|this|the|that) (?:request|prompt|question|instruction|content|query)\b.{0,60}\b(?:violates?|goes against|is against|cannot be|can(?:’|')?t be|inappropriate|is not (?:something|appropriate))\b/is,
  ],
  [
    'I will not',
    new RegExp(`^(?:no[,.!] )?(?:absolutely not|i will not|i won(?:’|')?t)\\b(?:[.!]| (?:be )?${HELP})`, 'i'),
  ],
  [
    'Let me suggest something else',
    /^(?:instead|let(?:’|')?s (?:talk|focus|discuss|keep|work)|i(?:’|')?d (?:be happy|rather|prefer)|i would (?:rather|prefer)|can i help you with (?:something|anything) else)\b.{0,100}\b(?:instead|else|positive|safe|respectful|different|constructive|appropriate|harmless)\b/is,
  ],
  [
    'German',
    /^(?:es tut mir leid|entschuldigung|tut mir leid)[,.]? .{0,60}\b(?:kann|darf|werde)\b.{0,60}\b(?:nicht|keine?n?)\b|^(?:ich kann|ich darf|dabei kann ich|das kann ich) (?:dir |ihnen |das |dabei |leider )*nicht\b/is,
  ],
  [
    'French',
    /^(?:je suis )?(?:désolée?|navrée?)[,.]? .{0,40}\bje ne (?:peux|puis|suis)\b|^je ne (?:peux|puis) pas (?:vous |t(?:’|'))?(?:aider|fournir|répondre|créer|faire)/is,
  ],
  [
    'Spanish',
    /^(?:lo siento|perd[oó]n|disculpa)[,.]? .{0,40}\bno (?:puedo|es posible)\b|^no puedo (?:ayudar|proporcionar|crear|cumplir|responder)/is,
  ],
  [
    'Italian',
    /^(?:mi dispiace|scusa)[,.]? .{0,40}\bnon (?:posso|è possibile)\b|^non posso (?:aiutar|fornire|creare|rispondere)/is,
  ],
  [
    'Portuguese',
    /^(?:desculpe|sinto muito|lamento)[,.]? .{0,40}\bnão (?:posso|é possível)\b|^não posso (?:ajudar|fornecer|criar|responder)/is,
  ],
  [
    'Russian',
    /^(?:извините|простите|к сожалению)[,.]? .{0,40}не (?:могу|буду)|^я не могу (?:помочь|предоставить|создать|выполнить)/isu,
  ],
  [
    'Chinese',
    /^(?:很?抱歉|对不起|對不起)[，,。]?.{0,30}(?:不能|无法|無法|不会)|^我(?:不能|无法|無法)(?:帮|提供|协助|满足|回答|生成)/su,
  ],
  ['Japanese', /^(?:申し訳(?:ありません|ございません)|すみません|ごめんなさい)/u],
];

const MOST_CHARACTERS = 400; // refusals say so at once

export function isRefusal(text: string): boolean {
  const start = text
    .slice(0, MOST_CHARACTERS)
    .replace(/[*_#"“”`]/g, '')
    .trim();
  return patterns.some(([, pattern]) => pattern.test(start));
}
