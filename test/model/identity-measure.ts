/**
 * How well a tracker keeps identities, in the plainest way. IDF1 (Ristani et al. 2016): true objects and tracks are paired one to one so
 * that the most boxes agree over the whole clip; it is the F1 score of the boxes under that pairing. A switch is an object whose box
 * is another track's than the last time that it was seen.
 */

type Box = readonly [number, number, number, number];

/** Boxes of one picture by identity. */
export type Identities = ReadonlyMap<number, Box>;

export type IdentityMeasure = { readonly idf1: number; readonly switches: number };

/** Boxes that overlap by less are not the same object. */
const SAME_OVERLAP = 0.5;

export function measureIdentities(truth: readonly Identities[], tracked: readonly Identities[]): IdentityMeasure {
  const agreements = new Map<number, Map<number, number>>();
  const lastTrack = new Map<number, number>();
  let switches = 0;
  truth.forEach((objects, picture) => {
    for (const [object, track] of agreeing(objects, tracked[picture] ?? new Map())) {
      const ofObject = agreements.get(object) ?? new Map<number, number>();
      agreements.set(object, ofObject.set(track, (ofObject.get(track) ?? 0) + 1));
      if ((lastTrack.get(object) ?? track) !== track) switches += 1;
      lastTrack.set(object, track);
    }
  });
  const agreed = mostAgreed([...agreements.values()], new Set());
  const boxes = sizeOf(truth) + sizeOf(tracked);
  return { idf1: boxes === 0 ? 1 : (2 * agreed) / boxes, switches };
}

/** Every way to give each object a track of its own, or none: the most boxes that agree. */
function mostAgreed(objects: readonly ReadonlyMap<number, number>[], taken: ReadonlySet<number>): number {
  const [first, ...rest] = objects;
  if (first === undefined) return 0;
  const given = [...first].filter(([track]) => !taken.has(track));
  return Math.max(
    mostAgreed(rest, taken),
    ...given.map(([track, count]) => count + mostAgreed(rest, new Set([...taken, track]))),
  );
}

const sizeOf = (pictures: readonly Identities[]): number => pictures.reduce((sum, { size }) => sum + size, 0);

/** Objects and tracks of one picture whose boxes are the same, the largest overlaps first. */
function agreeing(objects: Identities, tracks: Identities): [object: number, track: number][] {
  const overlaps = [...objects].flatMap(([object, box]) =>
    [...tracks].map(([track, other]) => ({ object, track, overlap: overlapOf(box, other) })),
  );
  const taken = new Set<string>();
  const pairs: [number, number][] = [];
  for (const { object, track, overlap } of overlaps.sort((a, b) => b.overlap - a.overlap)) {
    if (overlap < SAME_OVERLAP || taken.has(`o${object}`) || taken.has(`t${track}`)) continue;
    taken.add(`o${object}`).add(`t${track}`);
    pairs.push([object, track]);
  }
  return pairs;
}

function overlapOf(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const shared = width * height;
  const area = ([x1, y1, x2, y2]: Box): number => (x2 - x1) * (y2 - y1);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}
