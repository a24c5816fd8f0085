/** A limit of tokens or money for a run folder, never passed: what calls under way may take is set aside before they begin. */
import { ConfigError } from 'onnx-grad';
import type { Tokens } from '../ledger/records.ts';
import { costOf, type Price } from './prices.ts';

export interface Limit {
  readonly amount: number;
  /** `tokens`, or a currency. */
  readonly unit: string;
}

const multiples: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** "2000000 tokens", "500k tokens", "5 USD". @throws ConfigError for anything else, or another currency than the prices' */
export function parseLimit(text: string, currency: string | undefined): Limit {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kMG]?)\s*(\S+)\s*$/.exec(text);
  const units = currency === undefined ? ['tokens'] : ['tokens', currency];
  const unit = match?.[3]?.replace(/^token$/, 'tokens');
  if (match && unit && units.includes(unit)) return { amount: Number(match[1]) * multiples[match[2]!]!, unit };
  const money = currency === undefined ? '; money needs a section "prices" in the recipe' : `, "5 ${currency}"`;
  throw new ConfigError(`The budget "${text.slice(0, 40)}" is wrong: expected such as "500k tokens"${money}.`);
}

export class Budget {
  readonly #limit: Limit;
  #spent: number;
  #reserved = 0;
  #wake: (() => void)[] = [];

  /** @param spent of the run folder so far, in the limit's unit */
  constructor(limit: Limit, spent: number) {
    this.#limit = limit;
    this.#spent = spent;
  }

  /** What a call takes of the budget. @throws ConfigError for a model without a price where money is counted */
  amountOf(model: string, price: Price | null, usage: Tokens): number {
    if (this.#limit.unit === 'tokens') return usage.promptTokens + usage.completionTokens;
    const cost = costOf(price, usage);
    if (cost !== null) return cost;
    throw new ConfigError(`The budget is money, and model "${model}" has no price. Give it one in section "prices".`);
  }

  /** Sets aside what a call may take at most; waits for calls under way where only they stand in the way. @returns whether there is room */
  async reserve(amount: number): Promise<boolean> {
    while (this.#spent + this.#reserved + amount > this.#limit.amount) {
      if (this.#reserved === 0) return false;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    this.#reserved += amount;
    return true;
  }

  /** Ends a call. @param used what it really took; 0 where it failed */
  settle(reserved: number, used: number): void {
    this.#reserved = Math.max(0, this.#reserved - reserved);
    if (this.#reserved < 1e-9) this.#reserved = 0; // sums of prices leave dust
    this.#spent += used;
    for (const wake of this.#wake.splice(0)) wake();
  }
}
