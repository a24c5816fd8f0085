/**
 * Compares our BERT with transformers on the real all-MiniLM-L6-v2, whose outputs `check_real_minilm.py` has written:
 *
 *   npx node --conditions=source packages/models/scripts/check-minilm.ts <folder>
 *
 * The logits, the loss and every gradient. Exits 1 when one of them differs by more than rounding.
 */
import path from 'node:path';
import { crossEntropy, emitModel, gradients } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { readSafetensors } from '../src/checkpoint/safetensors.node.ts';
import { loadWeights } from '../src/load.node.ts';
import { largestDifference, norm, relativeError, toFloats, toTensor } from '../test/oracle-cases.node.ts';

const TOLERANCE = {
  output: 1e-4, // largest difference
  gradient: 1e-3, // relative norm
  zero: 1e-6, // norm, as a share of the largest gradient's: a key's bias has no gradient but rounding
};

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: check-minilm.ts <folder>, which check_real_minilm.py has filled.');
  process.exit(2);
}
const tensors = await readSafetensors(path.join(folder, 'expected.safetensors'));
const expected = (name: string) => toFloats(tensors.get(name)!);
const { model, weights } = await loadWeights(folder, { head: 'sequence-classification' });
const { graph, scope, output } = model;

const loss = crossEntropy(output, graph.input('labels', 'int64', ['batch']));
const parameters = [...scope.parameters.values()];
const found = gradients(
  loss,
  parameters.map(({ value }) => value),
);
const outputs = new Map([
  ['logits', output],
  ['loss', loss],
  ...parameters.map(({ name }, index) => [`grad.${name}`, found[index]!] as const),
]);
const session = await createSession(emitModel(graph, outputs));
const feeds = session.inputNames.map((name) => {
  const shape = scope.parameters.get(name)?.shape;
  return [name, shape ? new Tensor('float32', weights.get(name)!, shape) : toTensor(tensors.get(name)!)];
});
const results = await session.run(Object.fromEntries(feeds));
await session.release();
const actual = (name: string) => results[name]!.data as Float32Array;

const theirs = [...tensors.keys()].filter((name) => name.startsWith('grad.'));
const largest = Math.max(...theirs.map((name) => norm(expected(name))));
const isZero = (name: string) => norm(expected(name)) < TOLERANCE.zero * largest;
const differences = [
  ...['logits', 'loss'].map((name) => {
    return { name, difference: largestDifference(actual(name), expected(name)), most: TOLERANCE.output };
  }),
  ...theirs.map((name) => {
    if (!results[name]) return { name, difference: Number.POSITIVE_INFINITY, most: TOLERANCE.gradient };
    return isZero(name)
      ? { name, difference: norm(actual(name)) / largest, most: TOLERANCE.zero }
      : { name, difference: relativeError(actual(name), expected(name)), most: TOLERANCE.gradient };
  }),
];

const worst = (of: typeof differences) => of.reduce((a, b) => (b.difference > a.difference ? b : a));
const relative = worst(differences.filter(({ most }) => most === TOLERANCE.gradient));
const precise = (value: number) => value.toExponential(1);
const line = differences.map(({ name, difference }) => `${name} ${precise(difference)}`).slice(0, 2);
console.log(`largest differences: ${line.join(', ')}`);
console.log(
  `${theirs.length} gradients, ${theirs.filter(isZero).length} of them zero but for rounding; ` +
    `largest relative difference ${precise(relative.difference)} (${relative.name})`,
);
const wrong = differences.filter(({ difference, most }) => !(difference <= most)); // NaN too
for (const { name, difference, most } of wrong) {
  console.error(`${name} differs by ${precise(difference)}, at most ${precise(most)} is allowed.`);
}
if (theirs.length !== parameters.length) {
  console.error(`${theirs.length} gradients of transformers, ${parameters.length} parameters here.`);
}
process.exitCode = wrong.length === 0 && theirs.length === parameters.length ? 0 : 1;
