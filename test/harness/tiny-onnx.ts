/**
 * Writes small ONNX models by hand, so that a test has a model of exactly the shape it is about without shipping one.
 * Knows as much of onnx.proto as that needs: protobuf fields are written by number.
 */

const ELEMENT_TYPES = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** A dimension is a number, or a name where it is free. */
export type TinyValue = {
  readonly name: string;
  readonly type?: ElementType;
  readonly shape: readonly (number | string)[];
};

export type TinyConstant = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Uint8Array;
};

export type TinyNode = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** A number is an integer attribute, a list is one of integers. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
};

export type TinyModel = {
  readonly inputs: readonly TinyValue[];
  readonly outputs: readonly TinyValue[];
  readonly nodes: readonly TinyNode[];
  readonly constants?: readonly TinyConstant[];
};

const IR_VERSION = 8;
const OPSET = 17;

/** The bytes of an .onnx file. */
export function tinyOnnx({ inputs, outputs, nodes, constants = [] }: TinyModel): Uint8Array {
  const graph = message(
    ...nodes.map((node) => bytes(1, nodeProto(node))),
    text(2, 'tiny'),
    ...constants.map((constant) => bytes(5, tensorProto(constant))),
    ...inputs.map((value) => bytes(11, valueInfo(value))),
    ...outputs.map((value) => bytes(12, valueInfo(value))),
  );
  return message(integer(1, IR_VERSION), bytes(7, graph), bytes(8, message(integer(2, OPSET))));
}

/** A model that answers every input with the same outputs: a detector whose boxes the test chooses. */
export function constantModel(
  input: TinyValue,
  outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array }[],
): Uint8Array {
  return tinyOnnx({
    inputs: [input],
    outputs: outputs.map(({ name, shape }) => ({ name, shape })),
    nodes: outputs.map(({ name }) => ({ op: 'Identity', inputs: [`${name}_data`], outputs: [name] })),
    constants: outputs.map(({ name, shape, data }) => ({ name: `${name}_data`, shape, data })),
  });
}

function nodeProto({ op, inputs, outputs, attributes = {} }: TinyNode): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attributeProto(name, value))),
  );
}

function attributeProto(name: string, value: number | readonly number[]): Uint8Array {
  const INT = 2;
  const INTS = 7;
  return typeof value === 'number'
    ? message(text(1, name), integer(3, value), integer(20, INT))
    : message(text(1, name), ...value.map((item) => integer(8, item)), integer(20, INTS));
}

function tensorProto({ name, shape, data }: TinyConstant): Uint8Array {
  const type = data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'int64';
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message(...shape.map((dim) => integer(1, dim)), integer(2, ELEMENT_TYPES[type]), text(8, name), bytes(9, raw));
}

function valueInfo({ name, type = 'float32', shape }: TinyValue): Uint8Array {
  const dims = shape.map((dim) => bytes(1, typeof dim === 'number' ? message(integer(1, dim)) : message(text(2, dim))));
  const tensorType = message(integer(1, ELEMENT_TYPES[type]), bytes(2, message(...dims)));
  return message(text(1, name), bytes(2, message(bytes(1, tensorType))));
}

// Protobuf's wire format: a field is its number and wire type, then a varint (0) or a length and bytes (2).

const message = (...fields: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(fields));

const integer = (field: number, value: number): Uint8Array => message(varint(field * 8), varint(value));

const bytes = (field: number, value: Uint8Array): Uint8Array =>
  message(varint(field * 8 + 2), varint(value.length), value);

const text = (field: number, value: string): Uint8Array => bytes(field, new TextEncoder().encode(value));

function varint(value: number): Uint8Array {
  const groups: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    groups.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  groups.push(Number(rest));
  return Uint8Array.from(groups);
}
