import { rational } from '@stream-infer/core/rational';
import { type SamplePlan, samplePlan } from '@stream-infer/core/sample-plan';
import { describe, expect, test } from 'vitest';
import { algorithm, sourceFacts, streamSpec } from '../../../test/model/specs.ts';
import { selectExpression } from './select-expression.ts';

// What the expressions select is tested by ffmpeg itself: test/integration/decoding.test.ts.

type Asked = {
  fps?: string;
  source?: string;
  sampling?: 'index' | 'time';
  frameCount?: number;
  frameStep?: number;
  intervalFrames?: number;
  position?: string;
};

const plan = ({
  fps,
  source = '30',
  sampling = 'index',
  frameCount = 1,
  frameStep = 0,
  intervalFrames = 1,
  position = '0',
}: Asked): SamplePlan =>
  samplePlan(
    streamSpec({
      position,
      ...(fps !== undefined && { fps }),
      algorithms: [algorithm({ frameCount, frameStep, intervalFrames })],
    }),
    sourceFacts({ fps: source, sampling }),
  );
const expression = (asked: Asked, timeBase = rational(1, 1000), longestSeconds = 3_600): string | undefined =>
  selectExpression(plan(asked), { timeBase, longestSeconds });

describe('there is an expression', () => {
  test('of the play rate, exact by index', () => {
    expect(expression({ fps: '10' })).toContain('floor((n-0)*1/3)');
    expect(expression({ fps: '12.5', source: '30000/1001' })).toContain('*1001/2400)');
  });

  test('of what is needed alone, where every frame is played', () => {
    expect(expression({ intervalFrames: 30 })).toBe(
      'st(1,n+1);st(4,1);st(6,0);st(5,mod(ld(1),30));st(6,ld(6)+between(ld(5),0,0));ld(4)*gt(ld(6),0)',
    );
  });

  test('of slots, in lowest terms, so that its integers stay small', () => {
    expect(expression({ sampling: 'time', fps: '10', source: '3550/251' }, rational(1, 16_000))).toContain(
      '(pts-ld(0))*1+16)/1600)',
    );
    expect(expression({ sampling: 'time', fps: '30000/1001' }, rational(1, 90_000), 100 * 86_400)).toContain(
      '*1+90)/3003)',
    );
  });
});

describe('there is none', () => {
  test('where every decoded frame is needed', () => expect(expression({})).toBeUndefined());

  test('where doubles could not count that far', () => {
    const odd = { sampling: 'time', fps: '359280001/14375137' } as const;
    expect(expression(odd, rational(1, 90_000), 1_000)).toBeUndefined();
    expect(expression({ fps: '359280001/14375137' })).toBeUndefined();
  });

  test('where it would have more ranges than are worth evaluating', () => {
    expect(expression({ frameCount: 501, frameStep: 2, intervalFrames: 10_000 })).toBeUndefined();
    expect(expression({ frameCount: 499, frameStep: 2, intervalFrames: 10_000 })).toBeDefined();
  });
});
