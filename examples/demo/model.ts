/**
 * The network as an ONNX model that any YOLOv8 reader understands: `images` f32[1, 3, 192, 320] (RGB, 0 to 1) to
 * `output0` f32[1, 4 + classes, 960]: centre x, centre y, width and height in pixels of the input, then a score from
 * 0 to 1 per class, for each of 24 × 40 cells.
 */
import type { Parameters } from './convolution.ts';
import { BOX_NUMBERS, type Layer, type Network, STRIDE } from './network.ts';
import type { Node, Tensor } from './onnx-writer.ts';
import { writeModel } from './onnx-writer.ts';
import { INPUT_HEIGHT, INPUT_WIDTH } from './picture.ts';
import { CLASSES } from './shape.ts';

const COLUMNS = INPUT_WIDTH / STRIDE;
const ROWS = INPUT_HEIGHT / STRIDE;
const CELLS = COLUMNS * ROWS;

/** The bytes of the ONNX file for a network. */
export function modelOf(network: Network): Uint8Array {
  const nodes: Node[] = [];
  const constants: Tensor[] = [];
  let from = 'images';
  network.layers.slice(0, -1).forEach((layer, index) => {
    from = addLayer(layer, network.parameters[index] as Parameters, from, nodes, constants);
  });
  addHead(network, from, nodes, constants);
  return writeModel({
    producer: 'stream-infer demo',
    producerVersion: '1',
    description: 'Balls, boxes, cones and stars, trained by examples/demo/train.ts on frames that it draws itself.',
    metadata: { names: `{${CLASSES.map((name, id) => `${id}: '${name}'`).join(', ')}}`, stride: String(STRIDE) },
    name: 'shapes',
    nodes,
    constants,
    input: { name: 'images', dims: [1, 3, INPUT_HEIGHT, INPUT_WIDTH] },
    output: { name: 'output0', dims: [1, BOX_NUMBERS + CLASSES.length, CELLS] },
  });
}

/** Returns the name of the layer's output. */
function addLayer(layer: Layer, parameters: Parameters, from: string, nodes: Node[], constants: Tensor[]): string {
  let out = addConvolution(layer, layer.name, parameters, from, nodes, constants);
  if (layer.residual) {
    nodes.push({ operator: 'Add', inputs: [out, from], output: `${layer.name}.sum` });
    out = `${layer.name}.sum`;
  }
  if (layer.relu) {
    nodes.push({ operator: 'Relu', inputs: [out], output: `${layer.name}.relu` });
    out = `${layer.name}.relu`;
  }
  return out;
}

function addConvolution(
  layer: Layer,
  name: string,
  parameters: Parameters,
  from: string,
  nodes: Node[],
  constants: Tensor[],
): string {
  const outputs = parameters.bias.length;
  const side = (layer.dilation * (layer.kernel - 1)) / 2;
  constants.push(
    { name: `${name}.weights`, dims: [outputs, layer.inputs, layer.kernel, layer.kernel], values: parameters.weights },
    { name: `${name}.bias`, dims: [outputs], values: parameters.bias },
  );
  nodes.push({
    operator: 'Conv',
    inputs: [from, `${name}.weights`, `${name}.bias`],
    output: name,
    attributes: {
      dilations: [layer.dilation, layer.dilation],
      kernel_shape: [layer.kernel, layer.kernel],
      pads: [side, side, side, side],
      strides: [layer.stride, layer.stride],
    },
  });
  return name;
}

/** The last layer, in three parts: middles, sides and scores, each decoded in its own way. */
function addHead(network: Network, from: string, nodes: Node[], constants: Tensor[]): void {
  const layer = network.layers.at(-1) as Layer;
  const parameters = network.parameters.at(-1) as Parameters;
  constants.push(
    { name: 'stride', dims: [1], values: Float32Array.of(STRIDE) },
    { name: 'cell.middles', dims: [1, 2, CELLS], values: cellMiddles() },
  );
  const part = (name: string, first: number, count: number): string => {
    const outputs = {
      weights: slice(parameters.weights, layer.inputs, first, count),
      bias: slice(parameters.bias, 1, first, count),
    };
    addConvolution(layer, name, outputs, from, nodes, constants);
    constants.push({ name: `${name}.shape`, dims: [3], values: BigInt64Array.of(1n, BigInt(count), BigInt(CELLS)) });
    nodes.push({ operator: 'Reshape', inputs: [name, `${name}.shape`], output: `${name}.cells` });
    return `${name}.cells`;
  };
  const middles = part('middles', 0, 2);
  const sides = part('sides', 2, 2);
  const scores = part('scores', BOX_NUMBERS, CLASSES.length);
  nodes.push(
    { operator: 'Mul', inputs: [middles, 'stride'], output: 'middles.offset' },
    { operator: 'Add', inputs: ['middles.offset', 'cell.middles'], output: 'middles.pixels' },
    { operator: 'Exp', inputs: [sides], output: 'sides.exp' },
    { operator: 'Mul', inputs: ['sides.exp', 'stride'], output: 'sides.pixels' },
    { operator: 'Sigmoid', inputs: [scores], output: 'scores.sigmoid' },
    {
      operator: 'Concat',
      inputs: ['middles.pixels', 'sides.pixels', 'scores.sigmoid'],
      output: 'output0',
      attributes: { axis: 1 },
    },
  );
}

function slice(values: Float32Array, perOutput: number, first: number, count: number): Float32Array {
  return values.slice(first * perOutput, (first + count) * perOutput);
}

/** The x of every cell's middle, then the y, in pixels of the input. */
function cellMiddles(): Float32Array {
  const middles = new Float32Array(2 * CELLS);
  for (let cell = 0; cell < CELLS; cell++) {
    middles[cell] = ((cell % COLUMNS) + 0.5) * STRIDE;
    middles[CELLS + cell] = (Math.floor(cell / COLUMNS) + 0.5) * STRIDE;
  }
  return middles;
}
