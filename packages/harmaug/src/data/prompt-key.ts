/** What makes two prompts one: case, width and spacing aside. */
export function promptKey(prompt: string): string {
  return prompt.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}
