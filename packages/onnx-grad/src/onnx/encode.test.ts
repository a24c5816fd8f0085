import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { ConfigError, ShapeError } from '../errors.ts';
import { decodeModel } from './decode.ts';
import { encodeChunks, encodeModel } from './encode.ts';
import type { Attribute, ModelRecord } from './model.ts';
import { arbitraryModel, scaleAndShiftModel } from './models.testing.ts';

describe('encodeModel', () => {
  it('writes what decodeModel reads back unchanged', () => {
    fc.assert(
      fc.property(arbitraryModel, (model) => {
        expect(decodeModel(encodeModel(model))).toEqual(model);
      }),
    );
  });

  it('writes a model that onnxruntime runs', async () => {
    const session = await ort.InferenceSession.create(encodeModel(scaleAndShiftModel(3)));
    const { y } = await session.run({ x: new ort.Tensor('float32', [1, 2, 3, 4, 5, 6], [2, 3]) });
    expect(y!.dims).toEqual([2, 3]);
    expect([...(y!.data as Float32Array)]).toEqual([-1, 4, 11, 5, 13, 23]);
  });

  it('hands out tensor data without copying them', () => {
    const model = scaleAndShiftModel(5);
    const chunks = encodeChunks(model);
    for (const { data } of model.graph.initializers) expect(chunks).toContain(data);
  });

  it('refuses a tensor whose bytes do not match its dims', () => {
    const model = scaleAndShiftModel(3);
    const [scale] = model.graph.initializers;
    const initializers = [{ ...scale!, dims: [4] }];
    expect(() => encodeModel({ ...model, graph: { ...model.graph, initializers } })).toThrow(
      new ShapeError('Tensor "scale" holds 12 bytes, float32 (4) needs 16.'),
    );
  });

  it.each([1.5, Number.NaN, 2 ** 53])('refuses %d as an integer attribute', (value) => {
    const model = withAttribute({ type: 'ints', value: [0, value] });
    expect(() => encodeModel(model)).toThrow(
      new ConfigError(`Mul "scaled", attribute "axes" is ${value}, expected a whole number.`),
    );
  });

  it('refuses a model beyond the 2 GiB of one protobuf message, and says what to do', () => {
    const data = new Uint8Array(2 ** 30); // never touched, so it takes no memory
    const tensors = ['a', 'b'].map((name) => ({ name, dtype: 'uint8' as const, dims: [2 ** 30], data }));
    const model = scaleAndShiftModel(3);
    expect(() => encodeModel({ ...model, graph: { ...model.graph, initializers: tensors } })).toThrow(/writeModelFile/);
  });
});

function withAttribute(axes: Attribute): ModelRecord {
  const model = scaleAndShiftModel(3);
  const nodes = model.graph.nodes.map((node) => ({ ...node, attributes: { axes } }));
  return { ...model, graph: { ...model.graph, nodes } };
}
