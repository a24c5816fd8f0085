import fc from 'fast-check';
import { tensorByteLength } from './data-types.ts';
import { type Attribute, bytesPerElement, type DataType, type ModelRecord, type TensorRecord } from './model.ts';

/** Models for the tests of this folder: a small one that runs, and arbitrary ones that need not. */

/** y = x * scale + shift over rows of `width` values, with both initializers filled from their index. */
export function scaleAndShiftModel(width: number): ModelRecord {
  const values = (name: string, first: number): TensorRecord => {
    const data = new Float32Array(width).map((_, index) => first + (index % 7));
    return { name, dtype: 'float32', dims: [width], data: new Uint8Array(data.buffer) };
  };
  const node = (opType: string, inputs: string[], output: string) => {
    return { name: output, opType, domain: '', inputs, outputs: [output], attributes: {} };
  };
  return {
    irVersion: 10,
    producerName: 'onnx-grad',
    opsets: { '': 20 },
    metadata: { purpose: 'test' },
    graph: {
      name: 'scale-and-shift',
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', width] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', width] }],
      initializers: [values('scale', 2), values('shift', -3)],
      nodes: [node('Mul', ['x', 'scale'], 'scaled'), node('Add', ['scaled', 'shift'], 'y')],
    },
  };
}

const name = fc.string({ unit: 'grapheme', maxLength: 12 });
const properName = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), fc.constant('__proto__'));
const integer = fc.maxSafeInteger();
const dtype = fc.constantFrom(...(Object.keys(bytesPerElement) as DataType[]));
const dim = fc.oneof(fc.nat(1000), name);

function tensor(named: fc.Arbitrary<string>): fc.Arbitrary<TensorRecord> {
  return fc.record({ name: named, dtype, dims: fc.array(fc.nat(4), { maxLength: 4 }) }).chain((head) => {
    const length = tensorByteLength(head.dtype, head.dims);
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ ...head, data }));
  });
}

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.record({ type: fc.constant('int' as const), value: integer }),
  fc.record({ type: fc.constant('float' as const), value: fc.float() }),
  fc.record({ type: fc.constant('string' as const), value: name }),
  fc.record({ type: fc.constant('ints' as const), value: fc.array(integer) }),
  fc.record({ type: fc.constant('floats' as const), value: fc.array(fc.float()) }),
  fc.record({ type: fc.constant('strings' as const), value: fc.array(name) }),
  fc.record({ type: fc.constant('tensor' as const), value: tensor(name) }),
);

const value = fc.record(
  { name: properName, dtype, dims: fc.array(dim, { maxLength: 5 }) },
  { requiredKeys: ['name', 'dtype'] },
);

const node = fc.record({
  name,
  opType: properName,
  domain: fc.constantFrom('', 'com.microsoft'),
  inputs: fc.array(name, { maxLength: 4 }),
  outputs: fc.array(name, { maxLength: 4 }),
  attributes: fc.dictionary(properName, attribute, { maxKeys: 4, noNullPrototype: true }),
});

/** Any ModelRecord that can be encoded. */
export const arbitraryModel: fc.Arbitrary<ModelRecord> = fc.record({
  irVersion: fc.nat(20),
  producerName: name,
  opsets: fc.dictionary(fc.constantFrom('', 'com.microsoft', 'custom'), fc.nat(30), { noNullPrototype: true }),
  metadata: fc.dictionary(name, name, { maxKeys: 3, noNullPrototype: true }),
  graph: fc.record({
    name,
    inputs: fc.array(value, { maxLength: 3 }),
    outputs: fc.array(value, { maxLength: 3 }),
    initializers: fc.uniqueArray(tensor(properName), { maxLength: 4, selector: (item) => item.name }),
    nodes: fc.array(node, { maxLength: 4 }),
  }),
});
