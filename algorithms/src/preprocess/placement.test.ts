import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boxInSource, type Placement, placeByLongSide, placeInto } from './placement.ts';

const side = fc.integer({ min: 1, max: 4000 });
const size = fc.record({ width: side, height: side });

describe('placing a picture', () => {
  test('a stretched picture fills the input', () => {
    expect(placeInto({ width: 320, height: 240 }, { width: 1080, height: 720 }, 'stretch')).toEqual({
      width: 320,
      height: 240,
      left: 0,
      top: 0,
      contentWidth: 320,
      contentHeight: 240,
    });
  });

  test('a letterbox pads below a wide picture and right of a tall one', () => {
    const input = { width: 416, height: 416 };
    expect(placeInto(input, { width: 768, height: 432 }, 'letterbox')).toMatchObject({
      left: 0,
      top: 0,
      contentWidth: 416,
      contentHeight: 234,
    });
    expect(placeInto(input, { width: 432, height: 768 }, 'letterbox')).toMatchObject({
      left: 0,
      top: 0,
      contentWidth: 234,
      contentHeight: 416,
    });
  });

  test('a centred letterbox pads on both sides, the odd pixel below', () => {
    expect(placeInto({ width: 640, height: 640 }, { width: 1280, height: 718 }, 'letterbox-centre')).toEqual({
      width: 640,
      height: 640,
      left: 0,
      top: 140,
      contentWidth: 640,
      contentHeight: 359,
    });
  });

  test('a side that does not come out even is cut, or rounded where it is centred', () => {
    const input = { width: 640, height: 640 };
    const picture = { width: 1000, height: 667 };
    expect(placeInto(input, picture, 'letterbox').contentHeight).toBe(426);
    expect(placeInto(input, picture, 'letterbox-centre').contentHeight).toBe(427);
  });

  test('by its long side it is padded to the next multiple', () => {
    expect(placeByLongSide(640, 32, { width: 1080, height: 720 }, 'letterbox')).toEqual({
      width: 640,
      height: 448,
      left: 0,
      top: 0,
      contentWidth: 640,
      contentHeight: 426,
    });
    expect(placeByLongSide(640, 32, { width: 480, height: 640 }, 'letterbox')).toMatchObject({
      width: 480,
      height: 640,
    });
  });

  test('it lies inside the input and touches both sides of one axis, whatever the sizes', () => {
    const mode = fc.constantFrom('letterbox' as const, 'letterbox-centre' as const);
    const inside = ({ left, top, contentWidth, contentHeight, width, height }: Placement): boolean =>
      left >= 0 &&
      top >= 0 &&
      contentWidth >= 1 &&
      contentHeight >= 1 &&
      left + contentWidth <= width &&
      top + contentHeight <= height;
    fc.assert(
      fc.property(size, size, mode, (input, picture, resize) => {
        const placement = placeInto(input, picture, resize);
        expect(inside(placement)).toBe(true);
        expect(placement.contentWidth === input.width || placement.contentHeight === input.height).toBe(true);
      }),
    );
    fc.assert(
      fc.property(size, mode, (picture, resize) => {
        const placement = placeByLongSide(640, 32, picture, resize);
        expect(inside(placement)).toBe(true);
        expect([placement.width % 32, placement.height % 32]).toEqual([0, 0]);
        expect(Math.max(placement.contentWidth, placement.contentHeight)).toBe(640);
      }),
    );
  });

  test('a box comes back to where it was placed from, each axis by its own scale', () => {
    fc.assert(
      fc.property(size, size, size, (input, picture, source) => {
        const placement = placeInto(input, picture, 'letterbox-centre');
        const { left, top, contentWidth, contentHeight } = placement;
        const [x1, y1, x2, y2] = boxInSource([left, top, left + contentWidth, top + contentHeight], placement, source);
        expect([x1, y1]).toEqual([0, 0]);
        expect(x2).toBeCloseTo(source.width, 6);
        expect(y2).toBeCloseTo(source.height, 6);
      }),
    );
  });
});
