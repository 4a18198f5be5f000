/**
 * Where a picture comes to lie in a model's input, and where a point of that input lies in the source picture: the one
 * place that knows both directions, so that boxes cannot be mapped back by another rule than pictures were placed by.
 */

export type Size = { readonly width: number; readonly height: number };

/** The input's size and the rectangle of it that the picture fills; the rest is padding. All in input pixels. */
export type Placement = Size & {
  readonly left: number;
  readonly top: number;
  readonly contentWidth: number;
  readonly contentHeight: number;
};

/** `stretch` fills the input; the letterboxes keep the picture's shape and pad right and below, or all around. */
export type ResizeMode = 'stretch' | 'letterbox' | 'letterbox-centre';

/** The picture placed into an input of a fixed size. */
export function placeInto(input: Size, picture: Size, mode: ResizeMode): Placement {
  if (mode === 'stretch') return { ...input, left: 0, top: 0, contentWidth: input.width, contentHeight: input.height };
  const wide = picture.width * input.height >= picture.height * input.width;
  const contentWidth = wide ? input.width : scaledSide(picture.width, input.height, picture.height, mode);
  const contentHeight = wide ? scaledSide(picture.height, input.width, picture.width, mode) : input.height;
  return padded({ width: contentWidth, height: contentHeight }, input, mode);
}

/** The picture with its long side resized to `longSide`, padded to the next multiple of `multipleOf` on both sides. */
export function placeByLongSide(
  longSide: number,
  multipleOf: number,
  picture: Size,
  mode: Exclude<ResizeMode, 'stretch'>,
): Placement {
  const wide = picture.width >= picture.height;
  const content = {
    width: wide ? longSide : scaledSide(picture.width, longSide, picture.height, mode),
    height: wide ? scaledSide(picture.height, longSide, picture.width, mode) : longSide,
  };
  const input = {
    width: Math.ceil(content.width / multipleOf) * multipleOf,
    height: Math.ceil(content.height / multipleOf) * multipleOf,
  };
  return padded(content, input, mode);
}

/** Where it does not come out even, the families that pad right and below cut, and those that centre round. */
function scaledSide(side: number, to: number, from: number, mode: ResizeMode): number {
  const scaled = (side * to) / from;
  return Math.max(1, mode === 'letterbox-centre' ? Math.round(scaled) : Math.floor(scaled));
}

function padded(content: Size, input: Size, mode: ResizeMode): Placement {
  const centred = mode === 'letterbox-centre';
  return {
    width: input.width,
    height: input.height,
    left: centred ? Math.floor((input.width - content.width) / 2) : 0,
    top: centred ? Math.floor((input.height - content.height) / 2) : 0,
    contentWidth: content.width,
    contentHeight: content.height,
  };
}

/** A box `[x1, y1, x2, y2]` in pixels of the input, in pixels of the source picture; each axis has its own scale. */
export function boxInSource(
  box: readonly [number, number, number, number],
  placement: Placement,
  source: Size,
): [number, number, number, number] {
  const scaleX = source.width / placement.contentWidth;
  const scaleY = source.height / placement.contentHeight;
  return [
    (box[0] - placement.left) * scaleX,
    (box[1] - placement.top) * scaleY,
    (box[2] - placement.left) * scaleX,
    (box[3] - placement.top) * scaleY,
  ];
}
