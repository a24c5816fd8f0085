/**
 * Indices of `limit` batches that stand for a whole epoch, cheapest first: the middles of equal shares of the batches in
 * order of cost. `spread` in peers/train_peer.py is the same, so that both sides run a like share of their epochs.
 */
export function spread(costs: readonly number[], limit: number): number[] {
  const order = costs.map((_, index) => index).sort((a, b) => costs[a]! - costs[b]!);
  return Array.from({ length: limit }, (_, k) => order[Math.floor(((k + 0.5) * order.length) / limit)]!);
}
