/**
 * Writes ONNX files: the few messages of onnx.proto that a plain graph needs, in protobuf's wire format.
 *
 * Field numbers are those of onnx.proto (IR version 8). The bytes depend on the model alone: fields in the order of
 * their numbers, nothing that changes from run to run.
 */

const IR_VERSION = 8;
const OPSET_VERSION = 13;
const FLOAT = 1;
const INT64 = 7;

export interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers or lists of them: all that the operators used here take. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A float tensor that goes in or comes out. */
export interface Port {
  readonly name: string;
  readonly dims: readonly number[];
}

export interface Model {
  readonly producer: string;
  readonly producerVersion: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly constants: readonly Tensor[];
  readonly input: Port;
  readonly output: Port;
}

/** The file's bytes. */
export function writeModel(model: Model): Uint8Array {
  return message(
    whole(1, IR_VERSION),
    text(2, model.producer),
    text(3, model.producerVersion),
    text(6, model.description),
    nested(7, graph(model)),
    nested(8, message(whole(2, OPSET_VERSION))),
    ...Object.entries(model.metadata).map(([key, value]) => nested(14, message(text(1, key), text(2, value)))),
  );
}

function graph(model: Model): Uint8Array {
  return message(
    ...model.nodes.map((one) => nested(1, node(one))),
    text(2, model.name),
    ...model.constants.map((one) => nested(5, tensor(one))),
    nested(11, port(model.input)),
    nested(12, port(model.output)),
  );
}

function node({ operator, inputs, output, attributes = {} }: Node): Uint8Array {
  return message(
    ...inputs.map((input) => text(1, input)),
    text(2, output),
    text(3, output),
    text(4, operator),
    ...Object.entries(attributes).map(([key, value]) => nested(5, attribute(key, value))),
  );
}

function attribute(key: string, value: number | readonly number[]): Uint8Array {
  const kind = typeof value === 'number' ? { field: 3, type: 2, list: [value] } : { field: 8, type: 7, list: value };
  return message(text(1, key), ...kind.list.map((one) => whole(kind.field, one)), whole(20, kind.type));
}

function tensor({ name, dims, values }: Tensor): Uint8Array {
  return message(
    ...dims.map((dim) => whole(1, dim)),
    whole(2, values instanceof Float32Array ? FLOAT : INT64),
    text(8, name),
    nested(9, littleEndian(values)),
  );
}

function port({ name, dims }: Port): Uint8Array {
  const shape = message(...dims.map((dim) => nested(1, message(whole(1, dim)))));
  const tensorType = message(whole(1, FLOAT), nested(2, shape));
  return message(text(1, name), nested(2, message(nested(1, tensorType))));
}

function littleEndian(values: Float32Array | BigInt64Array): Uint8Array {
  const bytes = new Uint8Array(values.byteLength);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    if (values instanceof Float32Array) view.setFloat32(4 * i, values[i] as number, true);
    else view.setBigInt64(8 * i, values[i] as bigint, true);
  }
  return bytes;
}

/** A field that holds a whole number from 0 up. */
function whole(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field << 3), ...varint(value)]);
}

function text(field: number, value: string): Uint8Array {
  return nested(field, new TextEncoder().encode(value));
}

/** A field that holds bytes: a text, a tensor's numbers, another message. */
function nested(field: number, bytes: Uint8Array): Uint8Array {
  return message(Uint8Array.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes);
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Seven bits a byte, lowest first. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}
