/** How a model's words are drawn, and when it stops. */
export interface Sampling {
  readonly temperature: number;
  readonly topP?: number | undefined;
  readonly maxTokens: number;
  readonly stop: readonly string[];
}

/** The fields of a request. */
export function samplingFields({ temperature, topP, maxTokens, stop }: Sampling) {
  return { temperature, maxTokens, ...(topP === undefined ? {} : { topP }), ...(stop.length === 0 ? {} : { stop }) };
}
